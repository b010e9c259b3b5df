import type { Logger } from "@duchenne/rpc";
import type { Store } from "@duchenne/store";
import { collectDrawnFolders } from "./drawn-folders.ts";

const HOUR_MS = 3_600_000;

/** What is collected from. */
interface CollectRegularlyOptions {
  readonly store: Store;
  readonly dataDirectory: string;
  readonly logger: Logger;
}

/**
 * Removes what nothing in the store refers to, and what syntheses, curations and their deleted data sets left on this machine's
 * disk, now and every hour, until it is closed.
 */
export function collectRegularly({ store, dataDirectory, logger }: CollectRegularlyOptions): {
  close(): Promise<void>;
} {
  const closing = new AbortController();
  const { signal } = closing;
  const orLog = async (work: Promise<void>, message: string): Promise<void> => {
    try {
      await work;
    } catch (error) {
      if (!signal.aborted) logger.error({ error }, message);
    }
  };
  const collectObjects = async (): Promise<void> => {
    const { objects, sizeBytes } = await store.collectGarbage({ signal });
    if (objects > 0) logger.info({ objects, sizeBytes }, "removed what nothing refers to");
  };
  const collectFolders = async (): Promise<void> => {
    const folders = await collectDrawnFolders(store, dataDirectory, signal);
    if (folders.length > 0) logger.info({ folders }, "removed what syntheses and curations have left");
  };
  const collect = async (): Promise<void> => {
    await orLog(collectObjects(), "what nothing refers to could not be removed");
    await orLog(collectFolders(), "what syntheses and curations have left could not be removed");
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
