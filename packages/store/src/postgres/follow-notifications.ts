import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { FollowCommits } from "../changes.ts";

/** How often changes are looked for while nobody can tell of them. */
const POLL_MS = 1_000;
/** How often a silent connection is asked whether it still is one. */
const PROBE_MS = 15_000;

/** Follows the notifications that the schema's triggers send, over lost connections. */
export function followNotifications(config: pg.ClientConfig): FollowCommits {
  return async ({ ready, changed }, signal) => {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const client = new pg.Client({ ...config, query_timeout: PROBE_MS });
      const lost = new AbortController();
      client.on("error", () => lost.abort());
      client.on("end", () => lost.abort());
      client.on("notification", changed);
      try {
        await client.connect();
        await client.query("listen duchenne");
        // Nobody told of what was committed before.
        if (!isFirst) changed();
        ready();
        const over = AbortSignal.any([signal, lost.signal]);
        while (!over.aborted) {
          await sleep(PROBE_MS, undefined, { ref: false, signal: over }).catch(() => {});
          if (!over.aborted) await client.query("select 1");
        }
      } catch {
        // Those who read tell what is wrong; here it is tried again.
      }
      ready();
      client.removeListener("notification", changed);
      void client.end().catch(() => {});
      if (signal.aborted) return;
      await sleep(POLL_MS, undefined, { ref: false });
      changed();
    }
  };
}
