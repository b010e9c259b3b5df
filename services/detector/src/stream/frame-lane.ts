import { SupersededError } from "@duchenne/vision";

/** What to do with frames that come faster than they are answered. */
export type LanePolicy = "every-frame" | "latest-wins";

/** How a frame is worked on. */
export interface WorkOptions {
  /** It takes the place of a frame of its stream that was not begun; that one's work rejects with SupersededError. */
  readonly latest: boolean;
  /** To be called when the work begins. */
  readonly onStart: () => void;
  /** To be called when what was found in the frame begins to be scored. */
  readonly onScoring: () => void;
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
  /** Told what an answer or something done in between threw; the lane goes on. */
  readonly failed: (error: unknown) => void;
}

interface FrameEntry<F, R> {
  readonly frame: F;
  /** Held: not handed to work. Waiting: handed, and not begun. Finding: its faces are looked for, or wait to be scored. */
  state: "held" | "waiting" | "finding" | "scoring";
  outcome?: PromiseSettledResult<R>;
}

interface ActionEntry {
  readonly action: () => void;
}

/** Frames of one stream in work at once under "latest wins": one whose faces are found, one that is scored. */
const LATEST_IN_WORK = 2;

/**
 * The frames of one stream between their arrival and their answer: every frame comes out once. Under "latest wins" a frame
 * is begun when the one before begins to be scored, and not earlier: what would wait between the two grows old there.
 */
export class FrameLane<F, R> {
  readonly #options: FrameLaneOptions<F, R>;
  /** In the order of their arrival; stale frames leave at once, the others when all before them have left. */
  readonly #pending: (FrameEntry<F, R> | ActionEntry)[] = [];
  #left = Promise.withResolvers<void>();

  constructor(options: FrameLaneOptions<F, R>) {
    this.#options = options;
  }

  /** Takes a frame; resolves when the next one may come. "Latest wins" always takes the next. */
  async push(frame: F): Promise<void> {
    const entry: FrameEntry<F, R> = { frame, state: "held" };
    if (this.#options.policy === "every-frame") {
      this.#pending.push(entry);
      this.#start(entry, false);
      await this.#until(() => this.#pending.length < this.#options.maxUnanswered);
      return;
    }
    const held = this.#frames().find(({ state }) => state === "held");
    if (held !== undefined) this.#stale(held);
    this.#pending.push(entry);
    if (this.#frames().some(({ state }) => state === "waiting")) this.#start(entry, true);
    else this.#startHeld();
    this.#drain();
  }

  /**
   * Does something between the answers of the frames before and those of the frames after; resolves when the next frame
   * may come. What waits for its place counts as an unanswered frame does.
   */
  async between(action: () => void): Promise<void> {
    this.#pending.push({ action });
    this.#drain();
    const { policy, maxUnanswered } = this.#options;
    // Frames of "latest wins" take each other's place; what is done in between does not.
    const frames = () => (policy === "latest-wins" ? this.#frames().length : 0);
    await this.#until(() => this.#pending.length - frames() < maxUnanswered);
  }

  /** Resolves when every frame was answered and everything in between was done. */
  settled(): Promise<void> {
    return this.#until(() => this.#pending.length === 0);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#left.promise;
  }

  #frames(): FrameEntry<F, R>[] {
    return this.#pending.filter((entry) => "frame" in entry);
  }

  #start(entry: FrameEntry<F, R>, latest: boolean): void {
    entry.state = "waiting";
    const enter = (state: FrameEntry<F, R>["state"]) => {
      entry.state = state;
      if (state === "scoring") this.#startHeld();
    };
    const options = { latest, onStart: () => enter("finding"), onScoring: () => enter("scoring") };
    const settle = (outcome: PromiseSettledResult<R>) => {
      entry.outcome = outcome;
      enter("scoring");
      this.#drain();
    };
    this.#options.work(entry.frame, options).then(
      (value) => settle({ status: "fulfilled", value }),
      (reason: unknown) => {
        if (reason instanceof SupersededError) this.#stale(entry);
        else settle({ status: "rejected", reason });
        this.#drain();
      },
    );
  }

  /** Starts the frame that is held, when the one before is scored and no more are in work than may be. */
  #startHeld(): void {
    const frames = this.#frames();
    const held = frames.find(({ state }) => state === "held");
    if (held === undefined || frames.length > LATEST_IN_WORK) return;
    if (frames.every(({ state }) => state === "held" || state === "scoring")) this.#start(held, true);
  }

  #stale(entry: FrameEntry<F, R>): void {
    this.#pending.splice(this.#pending.indexOf(entry), 1);
    this.#attempt(() => this.#options.stale(entry.frame));
  }

  /** Lets out what has nothing before it any more. */
  #drain(): void {
    for (let [first] = this.#pending; first !== undefined; [first] = this.#pending) {
      if ("action" in first) {
        const { action } = first;
        this.#pending.shift();
        this.#attempt(action);
      } else {
        const { frame, outcome } = first;
        if (outcome === undefined) break;
        this.#pending.shift();
        this.#attempt(() => this.#options.answer(frame, outcome));
      }
    }
    this.#startHeld();
    this.#left.resolve();
    this.#left = Promise.withResolvers();
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.failed(error);
    }
  }
}
