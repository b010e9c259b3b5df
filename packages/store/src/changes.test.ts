import { expect, it } from "vitest";
import { createChanges, type FollowCommits } from "./changes.ts";

it("a follower that ended is replaced: its watchers miss nothing", async () => {
  const stop = new AbortController();
  const tellers: Parameters<FollowCommits>[0][] = [];
  const endings: ((error: Error) => void)[] = [];
  const changes = createChanges((tell, signal) => {
    tellers.push(tell);
    tell.ready();
    return new Promise((resolve, reject) => {
      endings.push(reject);
      signal.addEventListener("abort", () => resolve());
    });
  });
  const turns = changes.watch(stop.signal)[Symbol.asyncIterator]();
  await turns.next();
  const told = turns.next();
  endings[0]!(new Error("the connection is gone"));
  // It ended, and another one took over.
  await told;
  await turns.next();
  expect(tellers).toHaveLength(2);
  const next = turns.next();
  tellers[1]!.changed();
  expect((await next).done).toBe(false);
  const last = turns.next();
  stop.abort();
  expect((await last).done).toBe(true);
});
