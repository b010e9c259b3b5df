import { setTimeout as sleep } from "node:timers/promises";
import { FencedError, type Store, type StoreLocation } from "@duchenne/store";
import { allJobs } from "./history.ts";
import { withStore } from "./with-store.ts";

/** What was tried in the name of attempts that others had replaced. */
export interface ZombieProbes {
  /** Writes that were refused. */
  readonly refused: number;
  /** Those that were not: none may be. */
  readonly accepted: readonly string[];
}

const PAUSE_MS = 500;

/**
 * Writes in the name of every attempt that was replaced, as one that wakes up late would: its lease, its events, a version,
 * its end. Goes on until the signal aborts.
 */
export async function probeZombies(location: StoreLocation, signal: AbortSignal): Promise<ZombieProbes> {
  let refused = 0;
  const accepted: string[] = [];
  async function probe(what: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
      accepted.push(what);
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      refused++;
    }
  }
  async function probeAll(store: Store): Promise<void> {
    const { jobs, models } = store;
    for (const { id, state, attempt } of await allJobs(store)) {
      const replaced = attempt - 1;
      if (state !== "RUNNING" || replaced < 1) continue;
      const of = `attempt ${replaced} of ${id}, which has ${attempt}, could`;
      const job = { id, attempt: replaced };
      const event = { kind: "log", level: "info", text: "a zombie's" } as const;
      await probe(`${of} extend its lease`, () => jobs.heartbeat(id, replaced, 60_000));
      await probe(`${of} store an event`, () => jobs.append(id, replaced, [event], 0));
      await probe(`${of} publish`, () => models.createVersion({ model: "zombie", card: {}, artifacts: [], job }));
      await probe(`${of} end the job`, () => jobs.finish(id, replaced, { state: "SUCCEEDED", result: {} }));
    }
  }
  while (!signal.aborted) {
    await withStore(location, probeAll);
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
  return { refused, accepted };
}
