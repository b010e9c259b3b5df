import { FairLane } from "./fair-lane.ts";
import { priorityFrom } from "./priority.ts";
import { QueueFullError } from "./queue-errors.ts";

/** How requests of one priority wait (Triton's queue policy). */
export interface QueuePolicy {
  /** Requests that may wait; one more is refused. 0: any number. */
  readonly maxQueueSize: number;
  /** The longest a request may wait, in milliseconds; callers may only shorten it. 0: any time. */
  readonly timeoutMs: number;
  /** What happens then: it is rejected, or waits behind all of its priority that are in time. */
  readonly timeoutAction: "reject" | "delay";
}

/** How requests become batches (Triton's dynamic batcher). */
export interface BatchingOptions {
  readonly maxBatchSize: number;
  /** Sizes a batch should have, where one can be had. */
  readonly preferredBatchSizes: readonly number[];
  /** How long a request may be held back for a fuller batch, in milliseconds. 0: never. */
  readonly maxQueueDelayMs: number;
  /** From the highest priority, 1, down. */
  readonly priorities: readonly QueuePolicy[];
  /** The priority of a caller who names none, from 1. */
  readonly defaultPriority: number;
}

/** A batcher that never holds a request back and lets any number wait. */
export const PLAIN_BATCHING: BatchingOptions = {
  maxBatchSize: 1,
  preferredBatchSizes: [],
  maxQueueDelayMs: 0,
  priorities: [{ maxQueueSize: 0, timeoutMs: 0, timeoutAction: "reject" }],
  defaultPriority: 1,
};

/** A request to wait. */
export interface NewRequest<T> {
  readonly value: T;
  /** Whose it is: streams of one priority take turns. */
  readonly stream: unknown;
  /** From 1, the highest; 0: the default. */
  readonly priority?: number | undefined;
  /** How long it may wait, in milliseconds; more than the priority's own counts as that. */
  readonly timeoutMs?: number | undefined;
  /** How long it has waited elsewhere, in milliseconds, which counts. Default: 0. */
  readonly waitedMs?: number | undefined;
  /** Only one of its stream may be in work at once. */
  readonly exclusive?: boolean | undefined;
  /** Takes the place of what its stream has waiting. */
  readonly supersede?: boolean | undefined;
}

/** A request that waits or was taken. */
export interface QueueEntry<T> {
  readonly value: T;
  readonly stream: unknown;
  readonly exclusive: boolean;
  readonly arrivedMs: number;
  /** How long it may wait in all; infinity: any time. */
  readonly timeoutMs: number;
  /** When it will have waited so long. */
  readonly expiresMs: number;
}

interface Level<T> {
  readonly policy: QueuePolicy;
  readonly inTime: FairLane<QueueEntry<T>>;
  readonly delayed: FairLane<QueueEntry<T>>;
}

/**
 * Which requests wait, and which go together: Triton's dynamic batcher, with turns between streams. It knows no clock
 * and runs nothing: every method is told the time, so the same calls always lead to the same batches.
 */
export class RequestQueue<T> {
  readonly #options: BatchingOptions;
  readonly #levels: readonly Level<T>[];
  /** Streams of exclusive requests in work. */
  readonly #busy = new Set<unknown>();

  constructor(options: BatchingOptions) {
    this.#options = options;
    this.#levels = options.priorities.map((policy) => ({ policy, inTime: new FairLane(), delayed: new FairLane() }));
  }

  /** Requests that wait. */
  get size(): number {
    return this.#levels.reduce((sum, { inTime, delayed }) => sum + inTime.size + delayed.size, 0);
  }

  /**
   * Lets a request wait, and gives back those whose place it took.
   *
   * @throws {UnknownPriorityError}
   * @throws {QueueFullError} when as many of its priority wait as may
   */
  add(
    request: NewRequest<T>,
    nowMs: number,
  ): { readonly entry: QueueEntry<T>; readonly superseded: readonly QueueEntry<T>[] } {
    const { value, stream, exclusive = false, supersede = false, waitedMs = 0 } = request;
    const priority = priorityFrom(request.priority, this.#options);
    const level = this.#levels[priority - 1]!;
    const { maxQueueSize } = level.policy;
    const timeoutMs = Math.min(
      level.policy.timeoutMs || Number.POSITIVE_INFINITY,
      request.timeoutMs ?? Number.POSITIVE_INFINITY,
    );
    const entry = { value, stream, exclusive, arrivedMs: nowMs, timeoutMs, expiresMs: nowMs - waitedMs + timeoutMs };
    const makesRoom = supersede ? level.inTime.countOf(stream) + level.delayed.countOf(stream) : 0;
    if (maxQueueSize > 0 && level.inTime.size + level.delayed.size - makesRoom >= maxQueueSize) {
      throw new QueueFullError(priority, maxQueueSize);
    }
    if (!supersede) {
      level.inTime.push(entry);
      return { entry, superseded: [] };
    }
    const late = [...level.delayed].filter((each) => each.stream === stream);
    for (const each of late) level.delayed.remove(each);
    return { entry, superseded: [...late, ...level.inTime.replace(entry)] };
  }

  /** Gives a waiting request up; false when it does not wait any more. */
  remove(entry: QueueEntry<T>): boolean {
    return this.#levels.some(({ inTime, delayed }) => inTime.remove(entry) || delayed.remove(entry));
  }

  /** Takes out what waited too long and is to be rejected; puts back what is to be delayed. */
  expire(nowMs: number): QueueEntry<T>[] {
    const rejected: QueueEntry<T>[] = [];
    for (const { policy, inTime, delayed } of this.#levels) {
      for (const entry of [...inTime]) {
        if (nowMs < entry.expiresMs) continue;
        inTime.remove(entry);
        if (policy.timeoutAction === "delay") delayed.push(entry);
        else rejected.push(entry);
      }
    }
    return rejected;
  }

  /**
   * Takes the batch that is due; empty when none is. A preferred size goes at once, the largest that can be had; any
   * other size goes when a request in it was held back for as long as it may be. Higher priorities go first, then what
   * is in time, then streams in turn.
   */
  take(nowMs: number): QueueEntry<T>[] {
    const { ready, oldestMs } = this.#ready();
    if (ready === 0) return [];
    const size = this.#sizeOf(ready) ?? (nowMs >= oldestMs + this.#options.maxQueueDelayMs ? ready : 0);
    const batch: QueueEntry<T>[] = [];
    const mayGo = (entry: QueueEntry<T>) => !entry.exclusive || !this.#busy.has(entry.stream);
    for (const lane of this.#lanes()) {
      while (batch.length < size) {
        const entry = lane.next(mayGo);
        if (entry === undefined) break;
        if (entry.exclusive) this.#busy.add(entry.stream);
        batch.push(entry);
      }
    }
    return batch;
  }

  /** A taken request is done: the next of its stream may go. */
  done({ stream, exclusive }: QueueEntry<T>): void {
    if (exclusive) this.#busy.delete(stream);
  }

  /** Takes out everything that waits. */
  clear(): QueueEntry<T>[] {
    const all = [...this.#lanes()].flatMap((lane) => [...lane]);
    for (const entry of all) this.remove(entry);
    return all;
  }

  /** When `expire` or, with `batches`, `take` has something to do by the passing of time alone. */
  wakeMs(batches: boolean): number {
    let wakeMs = Number.POSITIVE_INFINITY;
    for (const { inTime } of this.#levels) {
      for (const { expiresMs } of inTime) wakeMs = Math.min(wakeMs, expiresMs);
    }
    if (!batches) return wakeMs;
    return Math.min(wakeMs, this.#ready().oldestMs + this.#options.maxQueueDelayMs);
  }

  *#lanes(): Generator<FairLane<QueueEntry<T>>> {
    for (const { inTime, delayed } of this.#levels) {
      yield inTime;
      yield delayed;
    }
  }

  /** How many requests can go together now, up to a whole batch, and when the oldest of all that may go arrived. */
  #ready(): { readonly ready: number; readonly oldestMs: number } {
    let ready = 0;
    let oldestMs = Number.POSITIVE_INFINITY;
    const taken = new Set(this.#busy);
    for (const lane of this.#lanes()) {
      for (const flow of lane.flows()) {
        for (const { exclusive, stream, arrivedMs } of flow) {
          if (exclusive) {
            if (taken.has(stream)) break;
            taken.add(stream);
          }
          ready++;
          oldestMs = Math.min(oldestMs, arrivedMs);
        }
      }
    }
    return { ready: Math.min(ready, this.#options.maxBatchSize), oldestMs };
  }

  /** The size a batch is sent with at once; undefined when a fuller one is worth waiting for. */
  #sizeOf(ready: number): number | undefined {
    const preferred = this.#options.preferredBatchSizes.filter((size) => size <= ready);
    if (preferred.length > 0) return Math.max(...preferred);
    return ready === this.#options.maxBatchSize ? ready : undefined;
  }
}
