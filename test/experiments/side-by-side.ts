import { availableParallelism } from "node:os";
import Tinypool from "tinypool";
import type { DetectorTask, MeasuredDetector } from "./measure-detector.ts";

/** Trains and measures detectors, several at once. */
export interface SideBySide extends AsyncDisposable {
  /** In the order of the tasks. */
  measure(tasks: readonly DetectorTask[]): Promise<MeasuredDetector[]>;
}

/**
 * Starts as many processes as there are cores, each with an engine of one thread: matrices this small gain little from a
 * second one.
 */
export function openSideBySide(): SideBySide {
  const processes = availableParallelism();
  const pool = new Tinypool({
    filename: new URL("./measure-detector.ts", import.meta.url).href,
    runtime: "child_process",
    serialization: "advanced",
    env: Object.fromEntries(Object.entries(process.env).map(([name, value = ""]) => [name, value])),
    minThreads: processes,
    maxThreads: processes,
  });
  return {
    measure: (tasks) => Promise.all(tasks.map((task): Promise<MeasuredDetector> => pool.run(task))),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}
