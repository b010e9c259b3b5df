import { Worker } from "node:worker_threads";
import type { Reply, Task, TaskError, WorkerSettings } from "./task.ts";

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
  readonly signal?: AbortSignal | undefined;
  readonly transfer?: readonly ArrayBuffer[];
  /** Told when a worker takes the task. */
  readonly onStart?: () => void;
  /** What to throw for an error that came back from the worker. */
  readonly errorFrom?: (error: TaskError) => Error;
}

interface Waiting {
  readonly task: Task;
  readonly options: RunOptions;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Slot {
  worker: Worker;
  readonly inWork: Map<number, Waiting>;
  busy: boolean;
}

/**
 * Worker threads that each hold the same models. A task runs on the first free one; a worker that dies fails its own
 * task alone and is replaced, its models loaded again.
 */
export class WorkerPool {
  readonly #settings: WorkerSettings;
  readonly #slots: Slot[] = [];
  readonly #queue: Waiting[] = [];
  readonly #loaded = new Map<number, Task>();
  #nextId = 1;
  #closed = false;

  constructor(size: number, settings: WorkerSettings) {
    this.#settings = settings;
    for (let i = 0; i < size; i++) {
      const slot: Slot = { worker: this.#spawn(), inWork: new Map(), busy: false };
      this.#attend(slot);
      this.#slots.push(slot);
    }
  }

  /** Runs a task on the first free worker. */
  run(task: Task, options: RunOptions = {}): Promise<unknown> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new EngineClosedError();
      signal?.throwIfAborted();
      const waiting: Waiting = { task, options, resolve, reject };
      this.#queue.push(waiting);
      // A running task cannot be interrupted; its caller stops waiting, its worker is free when it is done.
      const giveUp = () => {
        const at = this.#queue.indexOf(waiting);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener("abort", giveUp);
          done(value);
        };
      Object.assign(waiting, { resolve: settle(resolve), reject: settle(reject) });
      this.#dispatch();
    });
  }

  /** Loads a model into every worker, now and whenever one is replaced. */
  async load(task: Extract<Task, { kind: "load" }>, errorFrom: (error: TaskError) => Error): Promise<void> {
    if (this.#closed) throw new EngineClosedError();
    this.#loaded.set(task.model, task);
    const outcomes = await Promise.allSettled(this.#slots.map((slot) => this.#ask(slot, task, { errorFrom })));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed === undefined) return;
    this.#loaded.delete(task.model);
    throw failed.reason;
  }

  /** Frees a model in every worker, after the tasks that were given to it. */
  async unload(model: number): Promise<void> {
    if (!this.#loaded.delete(model) || this.#closed) return;
    await Promise.all(this.#slots.map((slot) => this.#ask(slot, { kind: "unload", model })));
  }

  /** Ends the workers; what waits is rejected, what runs is finished. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject } of this.#queue.splice(0)) reject(new EngineClosedError());
    await Promise.all(
      this.#slots.map(async (slot) => {
        const gone = new Promise((resolve) => slot.worker.once("exit", resolve));
        void this.#ask(slot, { kind: "close" }).catch(() => {});
        await gone;
      }),
    );
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.busy) continue;
      const next = this.#queue.shift();
      if (next === undefined) return;
      slot.busy = true;
      next.options.onStart?.();
      this.#post(slot, next);
    }
  }

  #ask(slot: Slot, task: Task, options: RunOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => this.#post(slot, { task, options, resolve, reject }));
  }

  #post(slot: Slot, waiting: Waiting): void {
    const id = this.#nextId++;
    slot.inWork.set(id, waiting);
    slot.worker.postMessage({ id, task: waiting.task }, [...(waiting.options.transfer ?? [])]);
  }

  #spawn(): Worker {
    return new Worker(new URL("./vision-worker.ts", import.meta.url), { workerData: this.#settings });
  }

  #attend(slot: Slot): void {
    const { worker } = slot;
    let cause: unknown;
    worker.on("message", (reply: Reply) => {
      const waiting = slot.inWork.get(reply.id);
      if (waiting === undefined) return;
      slot.inWork.delete(reply.id);
      if ("error" in reply) waiting.reject((waiting.options.errorFrom ?? unexpected)(reply.error));
      else waiting.resolve(reply.result);
      if (!this.#queueless(waiting)) {
        slot.busy = false;
        this.#dispatch();
      }
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
      for (const task of this.#loaded.values()) this.#ask(slot, task).catch(() => {});
      this.#dispatch();
    });
  }

  /** True for what was given to one worker by name, not through the queue. */
  #queueless({ task }: Waiting): boolean {
    return task.kind === "load" || task.kind === "unload" || task.kind === "close";
  }
}

function unexpected({ message, stack }: TaskError): Error {
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
