import type { Face } from "@duchenne/proto";

/** The faces of the newest picture, and which of them the scores are shown of. */
export class SelectedFace {
  #faces: readonly Face[] = [];
  #wanted: bigint | undefined;

  get faces(): readonly Face[] {
    return this.#faces;
  }

  /** The one that was chosen, while it is seen; else the largest. */
  get face(): Face | undefined {
    return this.#faces.find(({ faceId }) => faceId === this.#wanted) ?? this.#faces[0];
  }

  /** Faces of photographs have no ids; they get their place, from 1. */
  show(faces: readonly Face[]): void {
    this.#faces = faces.map((face, i) => (face.faceId === 0n ? { ...face, faceId: BigInt(i + 1) } : face));
  }

  choose(faceId: bigint): void {
    this.#wanted = faceId;
  }

  clear(): void {
    this.#faces = [];
    this.#wanted = undefined;
  }
}
