import type { NetworkProxy } from "@duchenne/store/test-drivers";

/** What a client can be in the middle of. */
export type Moment = "upload" | "watch";

/** Has faults wait until a client is in the middle of something. */
export interface Moments {
  /** Tells that a client is in the middle, over this way to its server. */
  tell(moment: Moment, link: NetworkProxy): void;
  /**
   * The way of the next client that is in the middle, before anything more comes over it; undefined when the signal aborts
   * first. Each moment is for who waits longest, and for nobody else.
   */
  next(moment: Moment, signal: AbortSignal): Promise<NetworkProxy | undefined>;
}

/** Moments that nobody waits for yet. */
export function createMoments(): Moments {
  const waiting = { upload: new Set<(link: NetworkProxy) => void>(), watch: new Set<(link: NetworkProxy) => void>() };
  return {
    tell(moment, link) {
      const [first] = waiting[moment];
      first?.(link);
    },
    next: (moment, signal) =>
      new Promise((resolve) => {
        const end = (link?: NetworkProxy) => {
          waiting[moment].delete(end);
          signal.removeEventListener("abort", giveUp);
          resolve(link);
        };
        const giveUp = () => end();
        if (signal.aborted) return resolve(undefined);
        signal.addEventListener("abort", giveUp);
        waiting[moment].add(end);
      }),
  };
}
