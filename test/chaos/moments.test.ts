import type { NetworkProxy } from "@duchenne/store/test-drivers";
import { expect, it } from "vitest";
import { createMoments } from "./moments.ts";

it("a moment is told to one that waits for it, the first one, and to nobody who has given up", async () => {
  const moments = createMoments();
  const [here, there] = [{ port: 1 }, { port: 2 }] as [NetworkProxy, NetworkProxy];
  const impatient = new AbortController();
  const { signal } = new AbortController();
  const givenUp = moments.next("upload", impatient.signal);
  const first = moments.next("upload", signal);
  const second = moments.next("upload", signal);
  const other = moments.next("watch", impatient.signal);
  impatient.abort();
  moments.tell("upload", here);
  moments.tell("upload", there);
  moments.tell("upload", here);
  expect(await Promise.all([givenUp, first, second, other])).toEqual([undefined, here, there, undefined]);
  expect(await moments.next("upload", impatient.signal)).toBeUndefined();
});
