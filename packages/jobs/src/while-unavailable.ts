import { setTimeout as sleep } from "node:timers/promises";
import { StoreUnavailableError } from "@duchenne/store";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/** Does something again while the store cannot be reached, until the signal aborts; then the last error is thrown. */
export async function whileUnavailable<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || signal.aborted) throw error;
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }
}
