import type { Client } from "@connectrpc/connect";
import type { DetectFacesResponse, DetectorService } from "@duchenne/proto";
import type { Photograph } from "../source/photograph.ts";
import type { Failure } from "./failure.ts";
import { FailedForGood, Patience } from "./patience.ts";

/** Where the scoring of a photograph stands. */
export type PhotographState =
  | { readonly phase: "scoring" }
  | { readonly phase: "scored" }
  | { readonly phase: "waiting"; readonly attempt: number; readonly untilMs: number; readonly failure: Failure }
  | { readonly phase: "failed"; readonly failure: Failure };

type Request = Parameters<Client<typeof DetectorService>["detectFaces"]>[0];

/** How photographs are scored, and who is told. */
export interface PhotographRunOptions {
  readonly detector: Pick<Client<typeof DetectorService>, "detectFaces">;
  /** What is asked beside the picture; read for each attempt. */
  readonly request: () => Omit<Request, "image" | "$typeName">;
  readonly onState: (state: PhotographState) => void;
  /** @param tookMs from sending to the answer */
  readonly onScored: (response: DetectFacesResponse, tookMs: number) => void;
}

/** One photograph at a time; each new one takes the place of the one before. */
export class PhotographRun {
  readonly #options: PhotographRunOptions;
  readonly #patience = new Patience();
  #scoring = new AbortController();
  #photograph: Photograph | undefined;
  #state: PhotographState = { phase: "scored" };

  constructor(options: PhotographRunOptions) {
    this.#options = options;
  }

  /** Undefined while there is no photograph. */
  get state(): PhotographState | undefined {
    return this.#photograph && this.#state;
  }

  /** Scores it. */
  open(photograph: Photograph): Promise<void> {
    this.close();
    this.#photograph = photograph;
    return this.score();
  }

  /** Scores what is open again, such as with another model; does nothing where nothing is. */
  async score(): Promise<void> {
    if (this.#photograph === undefined) return;
    const { image } = this.#photograph;
    this.#scoring.abort();
    this.#scoring = new AbortController();
    const { signal } = this.#scoring;
    const { detector, request, onScored } = this.#options;
    this.#enter({ phase: "scoring" });
    try {
      let sentMs = 0;
      const response = await this.#patience.until(
        () => {
          sentMs = performance.now();
          return detector.detectFaces({ ...request(), image }, { signal });
        },
        (failure, untilMs) => this.#enter({ phase: "waiting", attempt: 1, untilMs, failure }),
        signal,
      );
      const tookMs = performance.now() - sentMs;
      this.#enter({ phase: "scored" });
      onScored(response, tookMs);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof FailedForGood)) throw error;
      this.#enter({ phase: "failed", failure: error.failure });
    }
  }

  /** Tries now instead of later, or once more. */
  retry(): void {
    if (this.#state.phase === "failed") void this.score();
    else this.#patience.retry();
  }

  close(): void {
    this.#scoring.abort();
    this.#photograph?.close();
    this.#photograph = undefined;
  }

  #enter(state: PhotographState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
