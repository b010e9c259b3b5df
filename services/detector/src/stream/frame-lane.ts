import { SupersededError } from "@duchenne/vision";

/** What to do with frames that come faster than they are answered. */
export type LanePolicy = "every-frame" | "latest-wins";

/** How a frame is worked on. */
export interface WorkOptions {
  /** It takes the place of a frame of its stream that was not begun; that one's work rejects with SupersededError. */
  readonly latest: boolean;
  /** To be called when the work begins. */
  readonly onStart: () => void;
}

/** What a lane is made of. */
export interface FrameLaneOptions<F, R> {
  readonly policy: LanePolicy;
  /** Frames that may be unanswered at once; a writer waits for room. */
  readonly maxUnanswered: number;
  readonly work: (frame: F, options: WorkOptions) => Promise<R>;
  /** Told every frame's outcome but a stale one's, in the order of the frames. */
  readonly answer: (frame: F, outcome: PromiseSettledResult<R>) => void;
  /** Told at once of a frame whose turn a newer one took. */
  readonly stale: (frame: F) => void;
}

/** Frames of one stream in work at once under "latest wins": one whose faces are found, one that is scored. */
const LATEST_IN_WORK = 2;

/** The frames of one stream between their arrival and their answer: every frame comes out once. */
export class FrameLane<F, R> {
  readonly #options: FrameLaneOptions<F, R>;
  #tail: Promise<void> = Promise.resolve();
  #inWork = 0;
  /** Handed to work and not begun: a newer one can take its place. */
  #waiting: F | undefined;
  /** The newest frame, while as many are in work as may. */
  #newest: { readonly frame: F } | undefined;
  #room = Promise.withResolvers<void>();

  constructor(options: FrameLaneOptions<F, R>) {
    this.#options = options;
  }

  /** Takes a frame; resolves when the next one may come. "Latest wins" always takes the next. */
  async push(frame: F): Promise<void> {
    if (this.#options.policy === "latest-wins") {
      this.#pushLatest(frame);
      return;
    }
    this.#start(frame, false);
    while (this.#inWork >= this.#options.maxUnanswered) {
      this.#room = Promise.withResolvers();
      await this.#room.promise;
    }
  }

  /** Does something between the answers of the frames before and those of the frames after. */
  between(action: () => void): void {
    this.#tail = this.#tail.then(action);
  }

  /** Resolves when every frame was answered. */
  async settled(): Promise<void> {
    while (this.#inWork > 0) await this.#tail;
    await this.#tail;
  }

  #pushLatest(frame: F): void {
    if (this.#waiting !== undefined || this.#inWork < LATEST_IN_WORK) {
      this.#start(frame, true);
      return;
    }
    if (this.#newest !== undefined) this.#options.stale(this.#newest.frame);
    this.#newest = { frame };
  }

  #start(frame: F, latest: boolean): void {
    const { work, answer, stale } = this.#options;
    this.#inWork++;
    this.#waiting = frame;
    const onStart = () => {
      if (this.#waiting === frame) this.#waiting = undefined;
    };
    const ended = () => {
      onStart();
      this.#inWork--;
      this.#room.resolve();
      const newest = this.#newest;
      if (newest === undefined || this.#inWork >= LATEST_IN_WORK) return;
      this.#newest = undefined;
      this.#start(newest.frame, true);
    };
    const outcome = work(frame, { latest, onStart }).then(
      (value): PromiseSettledResult<R> => ({ status: "fulfilled", value }),
      (reason: unknown): PromiseSettledResult<R> => {
        if (reason instanceof SupersededError) {
          stale(frame);
          ended();
        }
        return { status: "rejected", reason };
      },
    );
    this.#tail = this.#tail.then(async () => {
      const settled = await outcome;
      if (settled.status === "rejected" && settled.reason instanceof SupersededError) return;
      answer(frame, settled);
      ended();
    });
  }
}
