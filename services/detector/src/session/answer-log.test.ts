import { expect, it } from "vitest";
import { AnswerLog } from "./answer-log.ts";

const listening = new AbortController().signal;

const dropped = (sequence: bigint, detail = "") => ({
  message: { case: "dropped" as const, value: { sequence, detail } },
});

/** Reads the numbers of what comes, and checks that each number has its own answer. */
async function numbers(log: AnswerLog, after: bigint, count = Number.POSITIVE_INFINITY): Promise<number[]> {
  const read: number[] = [];
  for await (const { number, answer } of log.watch(after, listening)) {
    expect(answer.message).toMatchObject({ case: "dropped", value: { sequence: number } });
    read.push(Number(number));
    if (read.length === count) break;
  }
  return read;
}

it("gives every watcher what comes after its number, before and while it watches", async () => {
  const log = new AnswerLog(1000);
  log.append(dropped(1n));
  log.append(dropped(2n));
  const all = numbers(log, 0n);
  const late = numbers(log, 2n);
  log.append(dropped(3n));
  await new Promise((resolve) => setImmediate(resolve));
  log.append(dropped(4n));
  log.end();
  expect(await all).toEqual([1, 2, 3, 4]);
  expect(await late).toEqual([3, 4]);
  expect(await numbers(log, 4n)).toEqual([]);
});

it("keeps the newest answers within its bytes, and says after which number one can go on", async () => {
  const log = new AnswerLog(300);
  for (let sequence = 1n; sequence <= 10n; sequence++) log.append(dropped(sequence, "x".repeat(90)));
  await expect(numbers(log, 0n)).rejects.toMatchObject({
    code: "out_of_range",
    reason: "ANSWERS_GONE",
    metadata: { first_after: "7" },
    message: "Expected to go on after 7 or later, got 0: the answers in between are no longer kept",
  });
  expect(await numbers(log, 7n, 3)).toEqual([8, 9, 10]);
  log.append(dropped(11n, "x".repeat(1000)));
  expect(await numbers(log, 10n, 1)).toEqual([11]);
});

it("tells a watcher who falls behind that answers are gone, and never leaves one out", async () => {
  const log = new AnswerLog(300);
  log.append(dropped(1n));
  const watcher = log.watch(0n, listening);
  expect((await watcher.next()).value?.number).toBe(1n);
  for (let sequence = 2n; sequence <= 9n; sequence++) log.append(dropped(sequence, "x".repeat(90)));
  await expect(watcher.next()).rejects.toMatchObject({ reason: "ANSWERS_GONE", metadata: { first_after: "6" } });
});

it("refuses a number that was not answered", async () => {
  const log = new AnswerLog(300);
  log.append(dropped(1n));
  await expect(numbers(log, 2n)).rejects.toMatchObject({ code: "invalid_argument", reason: "UNKNOWN_ANSWER_NUMBER" });
});

it("ends with its error after what was appended, and lets a watcher go whose signal aborts", async () => {
  const log = new AnswerLog(300);
  const leaving = new AbortController();
  const left = log.watch(0n, leaving.signal).next();
  leaving.abort();
  expect((await left).done).toBe(true);
  const watcher = log.watch(0n, listening);
  const first = watcher.next();
  log.append(dropped(1n));
  log.end({ error: new RangeError("broken") });
  expect((await first).value?.number).toBe(1n);
  await expect(watcher.next()).rejects.toThrow("broken");
});
