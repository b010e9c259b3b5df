import type { CalibrationInput, FrameInput } from "@duchenne/client/browser";

/**
 * What a session is fed with: calibrations, each, and the newest frame. A frame that nobody took gives its place to the
 * next, so that a session that is still being opened begins with what the camera sees then.
 */
export class FrameFeed implements AsyncIterable<FrameInput | CalibrationInput> {
  #calibrations: CalibrationInput[] = [];
  #frame: FrameInput | undefined;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  push(frame: FrameInput): void {
    this.#frame = frame;
    this.#wake();
  }

  /** Comes before the frames that were not taken yet. */
  calibrate(calibration: CalibrationInput["calibration"]): void {
    this.#calibrations.push({ calibration });
    this.#wake();
  }

  /** What waits is still taken. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FrameInput | CalibrationInput, void, undefined> {
    for (;;) {
      const next = this.#calibrations.shift() ?? this.#takeFrame();
      if (next !== undefined) {
        yield next;
      } else if (this.#ended) {
        return;
      } else {
        await this.#changed.promise;
      }
    }
  }

  #takeFrame(): FrameInput | undefined {
    const frame = this.#frame;
    this.#frame = undefined;
    return frame;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
