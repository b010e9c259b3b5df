import { describe, expect, it } from "vitest";
import { type ItemSource, newest, numbered } from "./newest.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const none = () => false;
const all = async <T>(source: ItemSource<T>) => {
  const read: { readonly number: bigint; readonly item: T }[] = [];
  for (let next = await source.next(); next !== undefined; next = await source.next()) read.push(next);
  return read;
};

it("numbers every item from 1", async () => {
  expect(await all(numbered(["a", "b"]))).toEqual([
    { number: 1n, item: "a" },
    { number: 2n, item: "b" },
  ]);
});

it("gives the newest item and skips those in between, but for those to be kept", async () => {
  async function* items() {
    yield* ["a", "b", "keep", "c", "d"];
  }
  const source = newest(items(), (item) => item === "keep");
  const first = source.next();
  await turn();
  const read = [await first, ...(await all(source))].map((each) => each!.item);
  expect(read.slice(-2)).toEqual(["keep", "d"]);
  expect(read).not.toContain("c");
});

it("counts those that it skips", async () => {
  const source = newest(["a", "b", "c"], none);
  const first = source.next();
  await turn();
  const read = [await first, ...(await all(source))];
  expect(read.at(-1)).toEqual({ number: 3n, item: "c" });
});

it("waits for a slow source and ends with it", async () => {
  const gate = Promise.withResolvers<void>();
  async function* slow() {
    await gate.promise;
    yield "late";
  }
  const source = newest(slow(), none);
  const next = source.next();
  await turn();
  gate.resolve();
  expect(await next).toEqual({ number: 1n, item: "late" });
  expect(await source.next()).toBe(undefined);
});

describe.each([
  ["numbered", <T>(source: AsyncIterable<T>) => numbered(source)],
  ["newest", <T>(source: AsyncIterable<T>) => newest(source, none)],
] as const)("%s", (_, make) => {
  it("throws what the source throws, after what came before", async () => {
    async function* broken(): AsyncGenerator<string> {
      yield "a";
      throw new Error("camera lost");
    }
    const source = make(broken());
    expect((await source.next())!.item).toBe("a");
    await expect(source.next()).rejects.toThrow("camera lost");
  });

  it("closes a camera that gives no frame at once, and one whose closing fails harms nobody", async () => {
    let closed = 0;
    const camera = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<string>>(() => {}),
        async return(): Promise<IteratorResult<string>> {
          closed++;
          throw new Error("already unplugged");
        },
      }),
    };
    const source = make(camera);
    void source.next();
    await turn();
    source.close();
    await turn();
    expect(closed).toBe(1);
  });
});

it("the newest of a closed source is its end, also for who waits", async () => {
  const source = newest({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }, none);
  const next = source.next();
  await turn();
  source.close();
  expect(await next).toBe(undefined);
});
