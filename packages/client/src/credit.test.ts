import { expect, it } from "vitest";
import { createCredit } from "./credit.ts";

it("lets as many go as were given, and others wait until more are", async () => {
  const credit = createCredit();
  credit.give(2);
  expect([await credit.take(), await credit.take()]).toEqual([true, true]);
  let went = false;
  const third = credit.take().then((goes) => {
    went = goes;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(went).toBe(false);
  credit.give(0);
  credit.give(1);
  await third;
  expect(went).toBe(true);
});

it("waits for something else until it is closed", async () => {
  const credit = createCredit();
  expect(await credit.unlessClosed(Promise.resolve(1))).toBe(1);
  await expect(credit.unlessClosed(Promise.reject(new Error("no camera")))).rejects.toThrow("no camera");
  const late = Promise.withResolvers<number>();
  const waiting = credit.unlessClosed(late.promise);
  credit.close();
  expect(await waiting).toBe(undefined);
  late.reject(new Error("nobody waits any more"));
  expect(await credit.unlessClosed(new Promise(() => {}))).toBe(undefined);
});

it("lets nobody go once it is closed, whoever waits included", async () => {
  const credit = createCredit();
  const waiting = credit.take();
  credit.close();
  expect(await waiting).toBe(false);
  credit.give(5);
  expect(await credit.take()).toBe(false);
});
