import { QueueTimeoutError, SupersededError } from "./queue-errors.ts";
import { type BatchingOptions, type NewRequest, type QueueEntry, RequestQueue } from "./request-queue.ts";

/** Where a batcher gets the time from. */
export interface Clock {
  /** Milliseconds since some beginning. */
  now(): number;
  /** Calls back once after so many milliseconds, unless it is cancelled by the function it returns. */
  after(ms: number, callback: () => void): () => void;
}

/** The time of this process. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Node's timers take no more: one for longer goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a batcher is made of. */
export interface BatcherOptions<T, R> extends BatchingOptions {
  /** Batches in work at once. */
  readonly instances: number;
  /** Does the work; answers in the order of the batch. An error is everyone's. */
  readonly execute: (batch: readonly T[]) => Promise<readonly R[]>;
  readonly clock?: Clock;
}

/** A request, and how it may be given up. */
export interface Submission<T> extends NewRequest<T> {
  readonly signal?: AbortSignal | undefined;
  /** Told when the work begins. */
  readonly onStart?: (() => void) | undefined;
}

interface Waiting<T, R> {
  readonly value: T;
  readonly onStart: (() => void) | undefined;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs requests in batches: a RequestQueue with a clock and somebody who does the work. */
export class Batcher<T, R> {
  readonly #options: BatcherOptions<T, R>;
  readonly #clock: Clock;
  readonly #queue: RequestQueue<Waiting<T, R>>;
  #running = 0;
  #due = false;
  #cancelTimer: (() => void) | undefined;
  #closed: Error | undefined;

  constructor(options: BatcherOptions<T, R>) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#queue = new RequestQueue(options);
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Runs a request in some batch. Giving it up while it waits takes it out; once its batch is in work, only its caller
   * stops waiting.
   *
   * @throws {QueueFullError}
   * @throws {QueueTimeoutError}
   * @throws {SupersededError}
   * @throws {UnknownPriorityError}
   */
  submit({ value, signal, onStart, ...request }: Submission<T>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (this.#closed !== undefined) throw this.#closed;
      signal?.throwIfAborted();
      const settled = () => signal?.removeEventListener("abort", giveUp);
      const waiting: Waiting<T, R> = {
        value,
        onStart,
        resolve(result) {
          settled();
          resolve(result);
        },
        reject(error) {
          settled();
          reject(error);
        },
      };
      const { entry, superseded } = this.#queue.add({ ...request, value: waiting }, this.#clock.now());
      const giveUp = () => {
        if (this.#queue.remove(entry)) this.#look();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      for (const each of superseded) each.value.reject(new SupersededError());
      this.#look();
    });
  }

  /** Rejects what waits with this error, and whatever comes; what is in work goes on. */
  close(error: Error): void {
    this.#closed = error;
    this.#cancelTimer?.();
    for (const { value } of this.#queue.clear()) value.reject(error);
  }

  /** Looks for a batch once everybody who submits in this turn has done so. */
  #look(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    if (this.#closed !== undefined) return;
    const nowMs = this.#clock.now();
    for (const { value, timeoutMs } of this.#queue.expire(nowMs)) value.reject(new QueueTimeoutError(timeoutMs));
    while (this.#running < this.#options.instances) {
      const batch = this.#queue.take(nowMs);
      if (batch.length === 0) break;
      void this.#run(batch);
    }
    this.#cancelTimer?.();
    const wakeMs = this.#queue.wakeMs(this.#running < this.#options.instances);
    this.#cancelTimer =
      wakeMs === Number.POSITIVE_INFINITY
        ? undefined
        : this.#clock.after(Math.min(Math.max(wakeMs - nowMs, 0), LONGEST_TIMER_MS), () => this.#look());
  }

  async #run(batch: readonly QueueEntry<Waiting<T, R>>[]): Promise<void> {
    this.#running++;
    try {
      for (const { value } of batch) value.onStart?.();
      const results = await this.#options.execute(batch.map(({ value }) => value.value));
      for (const [i, { value }] of batch.entries()) value.resolve(results[i]!);
    } catch (error) {
      for (const { value } of batch) value.reject(error);
    } finally {
      this.#running--;
      for (const entry of batch) this.#queue.done(entry);
      this.#look();
    }
  }
}
