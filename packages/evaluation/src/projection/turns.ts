import { setImmediate as nextTurn } from "node:timers/promises";

/** How long a computation keeps its thread to itself. */
const TURN_MS = 50;

/** Lets other work of the thread have its turn when the last was long ago. Throws the reason of an aborted signal. */
export type TakeTurns = () => Promise<void>;

/** Turns for a long computation: call it in its loops. What is computed does not depend on them. */
export function createTurns(signal: AbortSignal): TakeTurns {
  let lastMs = performance.now();
  return async () => {
    if (performance.now() - lastMs < TURN_MS) return;
    await nextTurn();
    signal.throwIfAborted();
    lastMs = performance.now();
  };
}
