import { setTimeout as sleep } from "node:timers/promises";

/** Tells watchers that something was committed, by this process or another. */
export interface Changes {
  /** Called after every own commit. */
  notify(): void;
  /** One turn at once, then one after every change or series of changes, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<void>;
}

/** Watches a version number that grows with the commits of others. */
export function createChanges(dataVersion: () => number, pollMs = 200): Changes {
  const waiting = new Set<() => void>();
  let own = 0;
  let polling = false;

  function wakeAll(): void {
    for (const wake of waiting) wake();
  }

  /** One loop for all watchers, only while there are any. */
  async function poll(): Promise<void> {
    if (polling) return;
    polling = true;
    try {
      let seen = dataVersion();
      while (waiting.size > 0) {
        await sleep(pollMs, undefined, { ref: false });
        if (waiting.size === 0) break;
        const version = dataVersion();
        if (version === seen) continue;
        seen = version;
        own++;
        wakeAll();
      }
    } finally {
      polling = false;
    }
  }

  return {
    notify() {
      own++;
      wakeAll();
    },
    async *watch(signal) {
      let seen = own;
      let wake = (): void => {};
      const onChange = (): void => wake();
      waiting.add(onChange);
      signal.addEventListener("abort", onChange);
      try {
        poll().catch(wakeAll);
        while (!signal.aborted) {
          seen = own;
          yield;
          if (own === seen && !signal.aborted) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      } finally {
        waiting.delete(onChange);
        signal.removeEventListener("abort", onChange);
      }
    },
  };
}
