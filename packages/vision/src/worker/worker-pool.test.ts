import { expect, it } from "vitest";
import { WorkerPool } from "./worker-pool.ts";

type Task =
  | { readonly kind: "load" }
  | { readonly kind: "unload" }
  | { readonly kind: "is loaded" }
  | { readonly kind: "die" }
  | { readonly kind: "close" };

/** A worker that counts the loads of all of its kind in shared memory and fails the one of a given number. */
const SCRIPT = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, workerData } from "node:worker_threads";
    let loaded = false;
    parentPort.on("message", ({ id, task }) => {
      if (task.kind === "close") return parentPort.close();
      if (task.kind === "die") process.exit(3);
      if (task.kind === "load") {
        if (Atomics.add(workerData.loads, 0, 1) + 1 === workerData.failing) {
          return parentPort.postMessage({ id, error: { message: "no room" } });
        }
        loaded = true;
      }
      if (task.kind === "unload") loaded = false;
      parentPort.postMessage({ id, result: loaded });
    });
  `)}`,
);

function setUp(size: number, failing = 0) {
  const loads = new Int32Array(new SharedArrayBuffer(4));
  const pool = new WorkerPool<Task>(SCRIPT, size, { loads, failing });
  const keep = () =>
    pool.keep(1, {
      task: { kind: "load" },
      undo: { kind: "unload" },
      errorFrom: ({ message }) => new Error(`refused: ${message}`),
    });
  /** Of every worker: each takes one of as many tasks. */
  const areLoaded = () => Promise.all(Array.from({ length: size }, () => pool.run({ kind: "is loaded" })));
  return { pool, keep, areLoaded, loads };
}

it("what fails in one worker is undone in the others", async () => {
  const { pool, keep, areLoaded } = setUp(3, 2);
  await expect(keep()).rejects.toThrow("refused: no room");
  expect(await areLoaded()).toEqual([false, false, false]);
  await keep();
  expect(await areLoaded()).toEqual([true, true, true]);
  await pool.close();
});

it("what is kept is done in a worker that replaces another, until it is dropped", async () => {
  const { pool, keep, areLoaded, loads } = setUp(1);
  await keep();
  await expect(pool.run({ kind: "die" })).rejects.toThrow("A vision worker ended with code 3");
  expect(await areLoaded()).toEqual([true]);
  await pool.drop(1);
  expect(await areLoaded()).toEqual([false]);
  await expect(pool.run({ kind: "die" })).rejects.toThrow("code 3");
  expect(await areLoaded()).toEqual([false]);
  expect(loads[0]).toBe(2);
  await pool.close();
});
