/** A camera's clock that goes back by more than this was set back; less is a frame that came out of its order. */
const SET_BACK_MS = 1000;

/**
 * The time of a stream's frames, in milliseconds: it follows their capture times and never goes back. Filters and the memory
 * for lost faces live by it, so a caller's clock that was wrong for a frame, or is set, must not stop it.
 */
export class FrameClock {
  #offsetMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** The next frame's time. A capture time that lies far before the last one goes on from there. */
  next(captureTimeMs: number): number {
    const timeMs = captureTimeMs + this.#offsetMs;
    if (timeMs < this.#lastMs - SET_BACK_MS) this.#offsetMs += this.#lastMs - timeMs;
    else this.#lastMs = Math.max(timeMs, this.#lastMs);
    return this.#lastMs;
  }
}
