import { setTimeout as sleep } from "node:timers/promises";

/** Tells watchers that something was committed, by this process or another. */
export interface Changes {
  /** Called after own commits that the database does not tell of. */
  notify(): void;
  /** One turn at once, then one after every change or series of changes, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<void>;
}

/**
 * Follows the commits of a database until the signal aborts: calls `ready` as soon as none is missed any more, or that
 * cannot be had now, and `changed` after every one or series of them, and whenever some may have been missed.
 */
export type FollowCommits = (tell: { ready(): void; changed(): void }, signal: AbortSignal) => Promise<void>;

/** How long after a follower ended by itself the next one starts. */
const AGAIN_MS = 1_000;

/** Watches commits; they are followed only while anybody watches. */
export function createChanges(follow: FollowCommits): Changes {
  const waiting = new Set<() => void>();
  let count = 0;
  let following: { readonly ready: Promise<void>; readonly stop: AbortController } | undefined;

  function changed(): void {
    count++;
    for (const wake of waiting) wake();
  }

  /** Follows for as long as somebody watches: a follower that ends is replaced. */
  async function keepFollowing(ready: () => void, signal: AbortSignal): Promise<void> {
    await follow({ ready, changed }, signal).catch(() => {});
    ready();
    while (!signal.aborted) {
      // A database that cannot be followed fails its readers as well: they tell.
      changed();
      await sleep(AGAIN_MS, undefined, { ref: false });
      // Nobody told of what was committed meanwhile.
      if (!signal.aborted) await follow({ ready: changed, changed }, signal).catch(() => {});
    }
  }

  function startFollowing(): Promise<void> {
    if (following !== undefined) return following.ready;
    const stop = new AbortController();
    const ready = new Promise<void>((resolve) => void keepFollowing(resolve, stop.signal));
    following = { ready, stop };
    return ready;
  }

  return {
    notify: changed,
    async *watch(signal) {
      let wake = (): void => {};
      const onChange = (): void => wake();
      waiting.add(onChange);
      signal.addEventListener("abort", onChange);
      try {
        await startFollowing();
        while (!signal.aborted) {
          const seen = count;
          yield;
          if (count === seen && !signal.aborted) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      } finally {
        waiting.delete(onChange);
        signal.removeEventListener("abort", onChange);
        if (waiting.size === 0) {
          following?.stop.abort();
          following = undefined;
        }
      }
    },
  };
}
