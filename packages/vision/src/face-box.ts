import { type Box, FACE_OVAL_CONVENTION } from "@duchenne/data";
import type { FoundFace } from "./chain/face-chain.ts";
import { meshBox } from "./mesh-box.ts";

/** Thrown when a given face box is empty or does not meet its image. */
export class InvalidFaceBoxError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_FACE_BOX";
  readonly violations: readonly { field: string; description: string }[];

  constructor(description: string) {
    super(description);
    this.name = "InvalidFaceBoxError";
    this.violations = [{ field: "face_box", description }];
  }
}

/** How boxes are derived for a model. */
export interface BoxConvention {
  /** The box to crop, before its margin. */
  readonly boxOf: (face: FoundFace) => Box;
  /** The margin on each side, in shares of the box. */
  readonly margin: number;
  /** What a caller should know. */
  readonly warnings: readonly string[];
}

/**
 * The live path's form of a model's box convention. "face-oval+5%" is the upright rectangle around the face mesh, whose
 * rim is the face oval, and 5 % more on each side. A model whose convention is not known gets the face finder's box.
 */
export function boxConvention(name: string | undefined): BoxConvention {
  if (name === FACE_OVAL_CONVENTION)
    return { boxOf: ({ landmarks }) => meshBox(landmarks), margin: 0.05, warnings: [] };
  const warning =
    name === undefined
      ? "The model does not record its box convention; faces are cropped by the face finder's box and scores may be off."
      : `The model's box convention "${name}" is not known; faces are cropped by the face finder's box and scores may be off.`;
  return { boxOf: ({ box }) => box, margin: 0.05, warnings: [warning] };
}
