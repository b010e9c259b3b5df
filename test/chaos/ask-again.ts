import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@duchenne/proto/rpc";
import type { ClientLog } from "./client-log.ts";

/** What a call without a reason of ours ends with when the server, or the way to it, is gone. */
const AWAY: readonly Code[] = [
  Code.Unavailable,
  Code.Canceled,
  Code.Aborted,
  Code.Unknown,
  Code.Internal,
  Code.DeadlineExceeded,
];
const PAUSE_MS = 200;

/**
 * Asks until there is an answer, as clients do that mean it. Only what passes by itself is a reason to ask again: a server
 * that is away, a store that is, a disk without room. Anything else is logged as a surprise, and asked again as well.
 */
export async function askAgain<T>(call: () => Promise<T>, log: ClientLog, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      noteSurprise(error, log);
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
}

/** Logs a failure that is no reason to ask again. */
export function noteSurprise(error: unknown, log: ClientLog): void {
  if (!passes(error)) log.surprises.add(String(error instanceof Error ? (error.stack ?? error) : error));
}

function passes(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info === undefined) return AWAY.includes(error.code);
  return error.code === Code.Unavailable || info.reason === "DISK_FULL";
}
