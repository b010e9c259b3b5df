import { expect, it } from "vitest";
import { Outbox } from "./outbox.ts";

it("gives what was pushed, before and while it is read, and ends", async () => {
  const outbox = new Outbox<number>(8);
  outbox.push(1);
  const read: number[] = [];
  const reading = (async () => {
    for await (const message of outbox) read.push(message);
  })();
  await new Promise((resolve) => setImmediate(resolve));
  outbox.push(2);
  outbox.end();
  outbox.push(3);
  await reading;
  expect(read).toEqual([1, 2]);
});

it("makes writers wait for a slow reader, and lets them go at the end", async () => {
  const outbox = new Outbox<number>(2);
  await outbox.room();
  outbox.push(1);
  outbox.push(2);
  let room = false;
  const waiting = outbox.room().then(() => {
    room = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(room).toBe(false);
  const reader = outbox[Symbol.asyncIterator]();
  await reader.next();
  await waiting;
  outbox.push(3);
  const last = outbox.room();
  outbox.end();
  await last;
});

it("throws its error to the reader, at once", async () => {
  const outbox = new Outbox<number>(2);
  outbox.push(1);
  outbox.fail(new Error("broken"));
  await expect(outbox[Symbol.asyncIterator]().next()).rejects.toThrow("broken");
});
