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

/** Watches commits; they are followed only while anybody watches. */
export function createChanges(follow: FollowCommits): Changes {
  const waiting = new Set<() => void>();
  let count = 0;
  let following: { readonly ready: Promise<void>; readonly stop: AbortController } | undefined;

  function changed(): void {
    count++;
    for (const wake of waiting) wake();
  }

  function startFollowing(): Promise<void> {
    if (following !== undefined) return following.ready;
    const stop = new AbortController();
    const ready = new Promise<void>((resolve) => {
      // A database that cannot be followed fails its readers as well: they tell.
      follow({ ready: resolve, changed }, stop.signal).catch(changed).finally(resolve);
    });
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
