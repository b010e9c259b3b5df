import { createRandom } from "@duchenne/data";
import { describe, expect, it } from "vitest";
import { type BatchingOptions, type NewRequest, PLAIN_BATCHING, RequestQueue } from "./request-queue.ts";

const queueOf = (options: Partial<BatchingOptions> = {}) =>
  new RequestQueue<string>({ ...PLAIN_BATCHING, maxBatchSize: 4, ...options });
const policy = { maxQueueSize: 0, timeoutMs: 0, timeoutAction: "reject" } as const;
const add = (queue: RequestQueue<string>, value: string, more: Partial<NewRequest<string>> = {}, nowMs = 0) =>
  queue.add({ value, stream: value[0], ...more }, nowMs);
const take = (queue: RequestQueue<string>, nowMs = 0) => queue.take(nowMs).map(({ value }) => value);

describe("a batch", () => {
  it("goes at once when nothing may be held back, up to its largest size", () => {
    const queue = queueOf();
    for (const value of ["a1", "b1", "c1", "d1", "e1"]) add(queue, value);
    expect(take(queue)).toEqual(["a1", "b1", "c1", "d1"]);
    expect(take(queue)).toEqual(["e1"]);
    expect(take(queue)).toEqual([]);
  });

  it("is held back for as long as its oldest request may be, and no longer", () => {
    const queue = queueOf({ maxQueueDelayMs: 10 });
    add(queue, "a1", {}, 100);
    add(queue, "b1", {}, 105);
    expect(take(queue, 109)).toEqual([]);
    expect(queue.wakeMs(true)).toBe(110);
    expect(queue.wakeMs(false)).toBe(Number.POSITIVE_INFINITY);
    expect(take(queue, 110)).toEqual(["a1", "b1"]);
  });

  it("goes at once when it is full, whatever the delay", () => {
    const queue = queueOf({ maxQueueDelayMs: 1000 });
    for (const value of ["a1", "b1", "c1", "d1"]) add(queue, value);
    expect(take(queue).length).toBe(4);
  });

  it("has the largest preferred size that can be had; others wait out the delay", () => {
    const queue = queueOf({ maxBatchSize: 8, preferredBatchSizes: [2, 4], maxQueueDelayMs: 10 });
    for (const value of ["a1", "b1", "c1", "d1", "e1"]) add(queue, value);
    expect(take(queue)).toEqual(["a1", "b1", "c1", "d1"]);
    expect(take(queue, 9)).toEqual([]);
    expect(take(queue, 10)).toEqual(["e1"]);
  });
});

describe("priorities", () => {
  const levels = [policy, policy];
  it("go first", () => {
    const queue = queueOf({ maxBatchSize: 2, priorities: levels, defaultPriority: 2 });
    for (const value of ["a1", "b1", "c1"]) add(queue, value);
    add(queue, "x1", { priority: 1 });
    expect(take(queue)).toEqual(["x1", "a1"]);
    expect(take(queue)).toEqual(["b1", "c1"]);
  });

  it("have queues of their own size", () => {
    const priorities = [policy, { ...policy, maxQueueSize: 2 }];
    const queue = queueOf({ priorities, defaultPriority: 2 });
    add(queue, "a1");
    add(queue, "b1");
    expect(() => add(queue, "c1")).toThrow("Expected at most 2 images of priority 2 to wait");
    add(queue, "x1", { priority: 1 });
    take(queue);
    add(queue, "c1");
  });

  it("that do not exist are refused", () => {
    expect(() => add(queueOf(), "a1", { priority: 2 })).toThrow("Expected a priority of 1..1");
  });
});

describe("a timeout", () => {
  it("rejects what waited too long, and only that", () => {
    const queue = queueOf({ priorities: [{ ...policy, timeoutMs: 50 }] });
    add(queue, "a1", {}, 0);
    add(queue, "b1", {}, 30);
    expect(queue.wakeMs(false)).toBe(50);
    expect(queue.expire(49)).toEqual([]);
    expect(queue.expire(50).map(({ value }) => value)).toEqual(["a1"]);
    expect(take(queue, 50)).toEqual(["b1"]);
  });

  it("may be shortened by a caller and never lengthened", () => {
    const queue = queueOf({ priorities: [{ ...policy, timeoutMs: 50 }] });
    add(queue, "short", { timeoutMs: 10 });
    add(queue, "long", { timeoutMs: 500 });
    expect(queue.expire(10).map(({ value }) => value)).toEqual(["short"]);
    expect(queue.expire(50).map(({ value }) => value)).toEqual(["long"]);
    const unlimited = queueOf();
    add(unlimited, "own", { timeoutMs: 10 });
    expect(unlimited.expire(10).length).toBe(1);
  });

  it("counts what was waited before, against the caller's limit and the priority's own", () => {
    const queue = queueOf({ priorities: [{ ...policy, timeoutMs: 50 }] });
    add(queue, "own", { timeoutMs: 30, waitedMs: 20 }, 100);
    add(queue, "level", { waitedMs: 20 }, 100);
    add(queue, "gone", { waitedMs: 50 }, 100);
    const expire = (nowMs: number) => queue.expire(nowMs).map(({ value, timeoutMs }) => [value, timeoutMs]);
    expect(expire(100)).toEqual([["gone", 50]]);
    expect(queue.wakeMs(false)).toBe(110);
    expect(expire(110)).toEqual([["own", 30]]);
    expect(expire(129)).toEqual([]);
    expect(expire(130)).toEqual([["level", 50]]);
  });

  it("below a millisecond is one", () => {
    const queue = queueOf();
    add(queue, "short", { timeoutMs: 0.4 });
    expect(queue.expire(0.3)).toEqual([]);
    expect(queue.expire(0.5).length).toBe(1);
  });

  it("can delay instead: behind all of its priority that are in time, before lower ones", () => {
    const priorities = [{ ...policy, timeoutMs: 50, timeoutAction: "delay" as const }, policy];
    const queue = queueOf({ maxBatchSize: 1, priorities });
    add(queue, "late", {}, 0);
    add(queue, "z-low", { priority: 2 }, 0);
    expect(queue.expire(60)).toEqual([]);
    add(queue, "fresh", {}, 60);
    expect([take(queue, 60), take(queue, 60), take(queue, 60)]).toEqual([["fresh"], ["late"], ["z-low"]]);
  });
});

describe("streams", () => {
  it("take turns, each in its own order", () => {
    const queue = queueOf({ maxBatchSize: 2 });
    for (const value of ["a1", "a2", "a3", "a4", "b1", "c1"]) add(queue, value);
    expect([take(queue), take(queue), take(queue)]).toEqual([
      ["a1", "b1"],
      ["c1", "a2"],
      ["a3", "a4"],
    ]);
  });

  it("have one exclusive request in work at a time", () => {
    const queue = queueOf();
    for (const value of ["a1", "a2", "b1"]) add(queue, value, { exclusive: true });
    const [first, second] = queue.take(0);
    expect([first!.value, second!.value]).toEqual(["a1", "b1"]);
    expect(queue.take(0)).toEqual([]);
    queue.done(first!);
    expect(take(queue)).toEqual(["a2"]);
  });

  it("keep their turn when a newer request takes the place of one that waits", () => {
    const queue = queueOf({ maxBatchSize: 1 });
    for (const value of ["a1", "b1"]) add(queue, value);
    const { superseded } = add(queue, "a2", { supersede: true });
    expect(superseded.map(({ value }) => value)).toEqual(["a1"]);
    expect([take(queue), take(queue), take(queue)]).toEqual([["a2"], ["b1"], []]);
  });

  it("may renew their request in a full queue", () => {
    const queue = queueOf({ priorities: [{ ...policy, maxQueueSize: 1 }] });
    add(queue, "a1");
    expect(() => add(queue, "b1", { supersede: true })).toThrow("to wait");
    expect(add(queue, "a2", { supersede: true }).superseded.length).toBe(1);
  });
});

it("whatever the calls: nothing is lost, nothing comes twice, and streams that wait get equal shares", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = createRandom([seed, "queue"]);
    const draw = (bound: number) => random.integer(bound);
    const queue = new RequestQueue<number>({
      ...PLAIN_BATCHING,
      maxBatchSize: 1 + draw(8),
      preferredBatchSizes: draw(2) === 0 ? [] : [2, 4],
      maxQueueDelayMs: draw(20),
      priorities: [
        { ...policy, timeoutMs: 30, timeoutAction: "delay" },
        { ...policy, timeoutMs: 40 },
      ],
      defaultPriority: 2,
    });
    const outcome = new Map<number, string>();
    const settle = (value: number, what: string) => {
      expect(outcome.has(value)).toBe(false);
      outcome.set(value, what);
    };
    const waiting = new Map<number, ReturnType<typeof queue.add>["entry"]>();
    let added = 0;
    for (let nowMs = 0; nowMs < 300; nowMs += draw(4)) {
      const value = added++;
      const supersede = draw(4) === 0;
      const request = { value, stream: draw(5), priority: draw(3), exclusive: draw(2) === 0, supersede };
      const { entry, superseded } = queue.add(request, nowMs);
      waiting.set(value, entry);
      for (const each of superseded) settle(each.value, "superseded");
      if (draw(5) === 0) {
        const victim = draw(added);
        if (queue.remove(waiting.get(victim)!)) settle(victim, "removed");
      }
      for (const each of queue.expire(nowMs)) settle(each.value, "expired");
      if (draw(2) === 0) {
        const batch = queue.take(nowMs);
        for (const each of batch) settle(each.value, "taken");
        for (const each of batch) queue.done(each);
      }
    }
    for (const { value } of queue.clear()) settle(value, "cleared");
    expect(outcome.size).toBe(added);
    expect(queue.size).toBe(0);
  }

  const queue = queueOf({ maxBatchSize: 3 });
  const served = new Map<unknown, number>();
  for (let stream = 0; stream < 7; stream++) {
    // Stream 0 sends ten times as much as the others.
    for (let i = 0; i < (stream === 0 ? 1000 : 100); i++) queue.add({ value: "x", stream }, i);
  }
  for (let i = 0; i < 200; i++) {
    for (const { stream } of queue.take(2000)) served.set(stream, (served.get(stream) ?? 0) + 1);
  }
  const counts = [...served.values()];
  expect(counts.length).toBe(7);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
});
