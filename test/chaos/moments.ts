import { EventEmitter, once } from "node:events";
import type { NetworkProxy } from "@duchenne/store/test-drivers";

/** What a client can be in the middle of. */
export type Moment = "upload" | "watch";

/** Has faults wait until a client is in the middle of something. */
export interface Moments {
  /** Tells that a client is in the middle, over this way to its server. */
  tell(moment: Moment, link: NetworkProxy): void;
  /**
   * The way of the next client that is in the middle, before anything more comes over it; undefined when the signal aborts
   * first.
   */
  next(moment: Moment, signal: AbortSignal): Promise<NetworkProxy | undefined>;
}

/** Moments that nobody waits for yet. */
export function createMoments(): Moments {
  const emitter = new EventEmitter().setMaxListeners(0);
  return {
    tell: (moment, link) => void emitter.emit(moment, link),
    async next(moment, signal) {
      const told = once(emitter, moment, { signal }) as Promise<[NetworkProxy]>;
      const [link] = await told.catch(() => [undefined]);
      return link;
    },
  };
}
