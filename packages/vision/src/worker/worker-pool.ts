import { Worker } from "node:worker_threads";
import type { Reply, TaskError } from "./task.ts";

/** Thrown for what waits or runs when a pool is closed. */
export class EngineClosedError extends Error {
  readonly code = "unavailable";
  readonly reason = "ENGINE_CLOSED";

  constructor() {
    super("The vision engine was closed");
    this.name = "EngineClosedError";
  }
}

/** How one task is run. */
export interface RunOptions {
  /** Memory that is handed over. */
  readonly transfer?: readonly ArrayBufferLike[];
  /** What to throw for an error that came back from the worker. */
  readonly errorFrom?: (error: TaskError) => Error;
}

interface Waiting<T> {
  readonly task: T;
  readonly options: RunOptions;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Not for whichever worker is free, but for one by name. */
  readonly named: boolean;
}

interface Slot<T> {
  worker: Worker;
  readonly inWork: Map<number, Waiting<T>>;
  busy: boolean;
}

/** A task that every worker is to have done. */
export interface KeptTask<T> {
  readonly task: T;
  /** What takes it back, also in a worker where it failed; undefined: nothing has to be. */
  readonly undo?: T;
  /** What to throw for its error. */
  readonly errorFrom: (error: TaskError) => Error;
}

/** Every worker ends after this task. */
const CLOSE = { kind: "close" } as const;

/**
 * Worker threads that all run one script. A task runs on the first free one; a worker that dies fails its own task alone
 * and is replaced by one that was told the same.
 */
export class WorkerPool<T extends { readonly kind: string }> {
  readonly #script: URL;
  readonly #settings: unknown;
  readonly #slots: Slot<T>[] = [];
  readonly #queue: Waiting<T>[] = [];
  readonly #kept = new Map<number, KeptTask<T>>();
  #nextId = 1;
  #closed = false;

  /** @param settings the workers' `workerData` */
  constructor(script: URL, size: number, settings: unknown) {
    this.#script = script;
    this.#settings = settings;
    for (let i = 0; i < size; i++) {
      const slot: Slot<T> = { worker: this.#spawn(), inWork: new Map(), busy: false };
      this.#attend(slot);
      this.#slots.push(slot);
    }
  }

  /** Runs a task on the first free worker. A running task cannot be interrupted. */
  run(task: T, options: RunOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new EngineClosedError();
      this.#queue.push({ task, options, resolve, reject, named: false });
      this.#dispatch();
    });
  }

  /**
   * Runs a task in every worker, now and whenever one is replaced, until `drop`. One that fails anywhere is undone
   * everywhere and not kept. A failure in a worker that replaces another is nobody's: what needs the task finds out there.
   */
  async keep(key: number, kept: KeptTask<T>): Promise<void> {
    if (this.#closed) throw new EngineClosedError();
    this.#kept.set(key, kept);
    const { task, errorFrom } = kept;
    const outcomes = await Promise.allSettled(this.#slots.map((slot) => this.#ask(slot, task, { errorFrom })));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed === undefined) return;
    await this.drop(key);
    throw failed.reason;
  }

  /** Undoes what is kept in every worker, after the tasks that were given to it. */
  async drop(key: number): Promise<void> {
    const undo = this.#kept.get(key)?.undo;
    this.#kept.delete(key);
    if (undo === undefined || this.#closed) return;
    // A worker that dies over it has let go of everything.
    await Promise.allSettled(this.#slots.map((slot) => this.#ask(slot, undo)));
  }

  /** Ends the workers; what waits is rejected, what runs is finished. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject } of this.#queue.splice(0)) reject(new EngineClosedError());
    await Promise.all(
      this.#slots.map(async ({ worker }) => {
        const gone = new Promise((resolve) => worker.once("exit", resolve));
        worker.postMessage({ id: 0, task: CLOSE });
        await gone;
      }),
    );
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      while (!slot.busy) {
        const next = this.#queue.shift();
        if (next === undefined) return;
        slot.busy = this.#post(slot, next);
      }
    }
  }

  #ask(slot: Slot<T>, task: T, options: RunOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => this.#post(slot, { task, options, resolve, reject, named: true }));
  }

  /** False when the task cannot be sent; its caller is told. */
  #post(slot: Slot<T>, waiting: Waiting<T>): boolean {
    const id = this.#nextId++;
    try {
      slot.worker.postMessage({ id, task: waiting.task }, [...(waiting.options.transfer ?? [])] as ArrayBuffer[]);
    } catch (error) {
      waiting.reject(error);
      return false;
    }
    slot.inWork.set(id, waiting);
    return true;
  }

  #spawn(): Worker {
    return new Worker(this.#script, { workerData: this.#settings });
  }

  #attend(slot: Slot<T>): void {
    const { worker } = slot;
    let cause: unknown;
    worker.on("message", (reply: Reply) => {
      const waiting = slot.inWork.get(reply.id);
      if (waiting === undefined) return;
      slot.inWork.delete(reply.id);
      if ("error" in reply) waiting.reject((waiting.options.errorFrom ?? unexpected)(reply.error));
      else waiting.resolve(reply.result);
      if (waiting.named) return;
      slot.busy = false;
      this.#dispatch();
    });
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", (code) => {
      const error = this.#closed
        ? new EngineClosedError()
        : new Error(`A vision worker ended with code ${code}`, { cause });
      for (const { reject } of slot.inWork.values()) reject(error);
      slot.inWork.clear();
      if (this.#closed) return;
      slot.worker = this.#spawn();
      this.#attend(slot);
      slot.busy = false;
      for (const { task } of this.#kept.values()) this.#ask(slot, task).catch(() => {});
      this.#dispatch();
    });
  }
}

function unexpected({ message, stack }: TaskError): Error {
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
