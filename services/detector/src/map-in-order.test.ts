import { expect, it } from "vitest";
import { mapInOrder } from "./map-in-order.ts";

async function* count(to: number, onPull: (n: number) => void = () => {}): AsyncGenerator<number> {
  for (let n = 1; n <= to; n++) {
    onPull(n);
    yield n;
  }
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

it("keeps the order when later items are done first", async () => {
  const gates = new Map<number, PromiseWithResolvers<number>>();
  const work = (n: number) => {
    const gate = Promise.withResolvers<number>();
    gates.set(n, gate);
    if (n === 3) for (const k of [3, 2, 1]) gates.get(k)!.resolve(k * 10);
    if (n > 3) gate.resolve(n * 10);
    return gate.promise;
  };
  expect(await collect(mapInOrder(count(6), 3, work))).toEqual([10, 20, 30, 40, 50, 60]);
});

it("has no more than the limit in work", async () => {
  let running = 0;
  let most = 0;
  const work = async (n: number) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return n;
  };
  expect(await collect(mapInOrder(count(20), 4, work))).toHaveLength(20);
  expect(most).toBe(4);
});

it("answers while the source is silent", async () => {
  const more = Promise.withResolvers<void>();
  async function* silent() {
    yield 1;
    await more.promise;
    yield 2;
  }
  const results = mapInOrder(silent(), 4, async (n) => n);
  expect((await results.next()).value).toBe(1);
  more.resolve();
  expect((await results.next()).value).toBe(2);
});

it("stops pulling when its reader leaves", async () => {
  let pulled = 0;
  for await (const _ of mapInOrder(
    count(100, (n) => {
      pulled = n;
    }),
    2,
    async (n) => n,
  ))
    break;
  await new Promise((resolve) => setImmediate(resolve));
  expect(pulled).toBeLessThan(5);
});

it("throws an error of the source after the results before it", async () => {
  async function* failing() {
    yield 1;
    throw new Error("gone");
  }
  const seen: number[] = [];
  await expect(async () => {
    for await (const n of mapInOrder(failing(), 2, async (k) => k)) seen.push(n);
  }).rejects.toThrow("gone");
  expect(seen).toEqual([1]);
});
