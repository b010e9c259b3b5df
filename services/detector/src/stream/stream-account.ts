import type { MessageInitShape } from "@bufbuild/protobuf";
import { exactDuration } from "@duchenne/control";
import type { DropReason, StreamSummarySchema } from "@duchenne/proto";

/** What became of a stream's frames, for its summary. */
export class StreamAccount {
  readonly #startedMs: number;
  readonly #drops = new Map<DropReason, number>();
  #received = 0;
  #answered = 0;

  /** @param startedMs by performance.now() */
  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  received(): void {
    this.#received++;
  }

  answered(): void {
    this.#answered++;
  }

  dropped(reason: DropReason): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
  }

  /** The summary up to now. */
  summary(): MessageInitShape<typeof StreamSummarySchema> {
    return {
      framesReceived: BigInt(this.#received),
      framesAnswered: BigInt(this.#answered),
      framesDropped: BigInt([...this.#drops.values()].reduce((sum, frames) => sum + frames, 0)),
      drops: [...this.#drops].map(([reason, frames]) => ({ reason, frames: BigInt(frames) })),
      duration: exactDuration(performance.now() - this.#startedMs),
    };
  }
}
