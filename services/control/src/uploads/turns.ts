import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type FileLock, tryLock } from "@duchenne/store";

/** Lets work on one thing happen one after the other, in all processes of this machine that name the same folder. */
export interface Turns {
  /** Does work when the earlier work of the same name has ended, however it ended. */
  take<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** How often another process is asked whether it is done; between processes turns are rarely waited for. */
const ASK_EVERY_MS = 50;

/**
 * Starts with nothing to wait for.
 *
 * @param directory where each name has an empty file that is locked in its turn, and stays; made when it is missing
 * @param signal ends the waiting for other processes
 */
export function createTurns(directory: string, signal: AbortSignal): Turns {
  const last = new Map<string, Promise<unknown>>();

  const lock = async (name: string): Promise<FileLock> => {
    await mkdir(directory, { recursive: true });
    for (;;) {
      const held = tryLock(join(directory, name), "exclusive");
      if (held !== undefined) return held;
      await sleep(ASK_EVERY_MS, undefined, { signal });
    }
  };
  const alone = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const held = await lock(name);
    try {
      return await work();
    } finally {
      held.release();
    }
  };

  return {
    async take(name, work) {
      const mine = () => alone(name, work);
      const turn = (last.get(name) ?? Promise.resolve()).then(mine, mine);
      last.set(name, turn);
      try {
        return await turn;
      } finally {
        if (last.get(name) === turn) last.delete(name);
      }
    },
  };
}
