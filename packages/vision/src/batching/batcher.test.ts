import { expect, it } from "vitest";
import { Batcher, type BatcherOptions, type Clock, type Submission } from "./batcher.ts";
import { PLAIN_BATCHING } from "./request-queue.ts";

/** A clock that stands still until it is told to go on. */
function manualClock() {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  const clock: Clock = {
    now: () => nowMs,
    after(ms, callback) {
      const timer = { atMs: nowMs + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  return {
    clock,
    async goTo(ms: number) {
      nowMs = ms;
      for (const timer of [...timers]) {
        if (timer.atMs > nowMs || !timers.delete(timer)) continue;
        timer.callback();
      }
      await turn();
    },
  };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A batcher whose work ends when the test says so. */
function setUp(options: Partial<BatcherOptions<string, string>> = {}) {
  const { clock, goTo } = manualClock();
  const batches: { readonly values: readonly string[]; readonly finish: () => void; readonly fail: () => void }[] = [];
  const batcher = new Batcher<string, string>({
    ...PLAIN_BATCHING,
    maxBatchSize: 4,
    instances: 1,
    clock,
    execute: (values) =>
      new Promise((resolve, reject) => {
        const finish = () => resolve(values.map((value) => `${value} done`));
        batches.push({ values, finish, fail: () => reject(new Error("broken")) });
      }),
    ...options,
  });
  const submit = (value: string, more: Partial<Submission<string>> = {}) => {
    const result = batcher.submit({ value, stream: value[0], ...more });
    result.catch(() => {});
    return result;
  };
  return { batcher, batches, submit, goTo };
}

it("puts what is submitted in one turn, and what came while it worked, into one batch", async () => {
  const { submit, batches } = setUp();
  const first = ["a1", "b1"].map((value) => submit(value));
  await turn();
  const second = ["c1", "d1", "e1"].map((value) => submit(value));
  await turn();
  expect(batches.map(({ values }) => values)).toEqual([["a1", "b1"]]);
  batches[0]!.finish();
  expect(await Promise.all(first)).toEqual(["a1 done", "b1 done"]);
  await turn();
  batches[1]!.finish();
  expect(await Promise.all(second)).toEqual(["c1 done", "d1 done", "e1 done"]);
});

it("runs as many batches at once as it has instances", async () => {
  const { submit, batches } = setUp({ instances: 2, maxBatchSize: 1 });
  for (const value of ["a1", "b1", "c1"]) submit(value);
  await turn();
  expect(batches.length).toBe(2);
});

it("waits for a fuller batch by the clock", async () => {
  const { submit, batches, goTo } = setUp({ maxQueueDelayMs: 5 });
  submit("a1");
  await turn();
  await goTo(4);
  expect(batches).toEqual([]);
  submit("b1");
  await goTo(5);
  expect(batches[0]!.values).toEqual(["a1", "b1"]);
});

it("rejects by the clock what waits too long behind work", async () => {
  const { submit, goTo, batches } = setUp({ maxBatchSize: 1 });
  submit("a1");
  await turn();
  const late = submit("b1", { timeoutMs: 20 });
  await turn();
  await goTo(20);
  await expect(late).rejects.toMatchObject({ reason: "QUEUE_TIMEOUT", code: "deadline_exceeded" });
  batches[0]!.finish();
  await turn();
  expect(batches.length).toBe(1);
});

it("sets no timer for longer than Node can, which would go off at once", async () => {
  const asked: number[] = [];
  const clock: Clock = {
    now: () => 0,
    after(ms) {
      asked.push(ms);
      return () => {};
    },
  };
  const { submit } = setUp({ maxBatchSize: 1, clock });
  submit("a1");
  await turn();
  submit("b1", { timeoutMs: 1e12 });
  await turn();
  expect(asked).toEqual([2 ** 31 - 1]);
});

it("takes out what is given up while it waits, and lets go of its caller while it works", async () => {
  const { submit, batches, batcher } = setUp({ maxBatchSize: 1 });
  const stop = new AbortController();
  const working = submit("a1", { signal: stop.signal });
  await turn();
  const waiting = submit("b1", { signal: stop.signal });
  const other = submit("c1");
  stop.abort(new Error("gone"));
  await expect(working).rejects.toThrow("gone");
  await expect(waiting).rejects.toThrow("gone");
  expect(batcher.waiting).toBe(1);
  batches[0]!.finish();
  await turn();
  expect(batches[1]!.values).toEqual(["c1"]);
  batches[1]!.finish();
  expect(await other).toBe("c1 done");
  await expect(batcher.submit({ value: "d1", stream: "d", signal: stop.signal })).rejects.toThrow("gone");
});

it("tells everyone in a batch when it fails, and goes on", async () => {
  const { submit, batches } = setUp();
  const failed = [submit("a1"), submit("b1")];
  await turn();
  batches[0]!.fail();
  for (const each of failed) await expect(each).rejects.toThrow("broken");
  const next = submit("a2");
  await turn();
  batches[1]!.finish();
  expect(await next).toBe("a2 done");
});

it("tells a request that a newer one took its place, and starts one of a stream at a time", async () => {
  const { submit, batches } = setUp({ instances: 2 });
  const latest = { exclusive: true, supersede: true };
  const started: string[] = [];
  submit("a1", { ...latest, onStart: () => started.push("a1") });
  await turn();
  const stale = submit("a2", latest);
  submit("a3", { ...latest, onStart: () => started.push("a3") });
  await expect(stale).rejects.toMatchObject({ reason: "SUPERSEDED" });
  await turn();
  expect(started).toEqual(["a1"]);
  batches[0]!.finish();
  await turn();
  expect(started).toEqual(["a1", "a3"]);
});

it("rejects what waits when it is closed, and finishes what is in work", async () => {
  const { submit, batches, batcher } = setUp({ maxBatchSize: 1 });
  const working = submit("a1");
  await turn();
  const waiting = submit("b1");
  batcher.close(new Error("closed"));
  await expect(waiting).rejects.toThrow("closed");
  await expect(submit("c1")).rejects.toThrow("closed");
  batches[0]!.finish();
  expect(await working).toBe("a1 done");
});
