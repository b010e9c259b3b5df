import { expect, it } from "vitest";
import { newest, numbered } from "./newest.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const none = () => false;

it("numbers every item from 1", async () => {
  const read: unknown[] = [];
  for await (const each of numbered(["a", "b"])) read.push(each);
  expect(read).toEqual([
    { number: 1n, item: "a" },
    { number: 2n, item: "b" },
  ]);
});

it("gives the newest item and skips those in between, but for those to be kept", async () => {
  const source = newest(["a", "b", "keep", "c", "d"], (item) => item === "keep");
  const first = source.next();
  await turn();
  const read = [await first];
  for (;;) {
    const next = await source.next();
    if (next.done === true) break;
    read.push(next);
  }
  const items = read.map(({ value }) => value!.item);
  expect(items.slice(-2)).toEqual(["keep", "d"]);
  expect(items).not.toContain("c");
  expect(read.at(-1)!.value!.number).toBe(5n);
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
  expect((await next).value).toEqual({ number: 1n, item: "late" });
  expect((await source.next()).done).toBe(true);
});

it("throws what the source throws", async () => {
  async function* broken(): AsyncGenerator<string> {
    yield "a";
    throw new Error("camera lost");
  }
  const read = async () => {
    for await (const _ of newest(broken(), none));
  };
  await expect(read()).rejects.toThrow("camera lost");
});
