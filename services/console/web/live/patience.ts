import { type Failure, failureOfCall } from "./failure.ts";
import { waitBefore } from "./live-state.ts";

/** Thrown by what cannot succeed without a change. */
export class FailedForGood extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.title, options);
    this.name = "FailedForGood";
    this.failure = failure;
  }
}

/** Makes calls until they succeed, with longer and longer pauses between. */
export class Patience {
  #goOn: () => void = () => {};

  /** Ends the pause that is now. */
  retry(): void {
    this.#goOn();
  }

  /**
   * What the work answers in the end; rejects with the signal's reason when that aborts.
   *
   * @param onFailure told of each failure and when the next attempt is made
   * @throws {FailedForGood}
   */
  async until<T>(
    work: () => Promise<T>,
    onFailure: (failure: Failure, untilMs: number) => void,
    signal: AbortSignal,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        const failure = failureOfCall(error);
        if (!failure.passes) throw new FailedForGood(failure, { cause: error });
        const waitMs = waitBefore(attempt);
        onFailure(failure, Date.now() + waitMs);
        await this.#pause(waitMs, signal);
        signal.throwIfAborted();
      }
    }
  }

  #pause(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      signal.addEventListener("abort", done, { once: true });
      this.#goOn = done;
    });
  }
}
