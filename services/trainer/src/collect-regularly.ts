import type { Logger } from "@duchenne/rpc";
import type { Store } from "@duchenne/store";

const HOUR_MS = 3_600_000;

/** Removes what nothing in the store refers to, now and every hour, until it is closed. */
export function collectRegularly(store: Store, logger: Logger): { close(): Promise<void> } {
  const closing = new AbortController();
  const collect = async (): Promise<void> => {
    try {
      const { objects, sizeBytes } = await store.collectGarbage({ signal: closing.signal });
      if (objects > 0) logger.info({ objects, sizeBytes }, "removed what nothing refers to");
    } catch (error) {
      if (!closing.signal.aborted) logger.error({ error }, "what nothing refers to could not be removed");
    }
  };
  let running = collect();
  const timer = setInterval(() => {
    running = running.then(collect);
  }, HOUR_MS);
  return {
    async close() {
      closing.abort();
      clearInterval(timer);
      await running;
    },
  };
}
