import { expect, it } from "vitest";
import { FrameClock } from "./frame-clock.ts";

const timesOf = (captured: readonly number[]) => {
  const clock = new FrameClock();
  return captured.map((ms) => clock.next(ms));
};

it("is the capture time, and stands still for frames out of their order", () => {
  expect(timesOf([1000, 1033, 1020, 1066])).toEqual([1000, 1033, 1033, 1066]);
});

it("goes on after a frame of the far future, and after the caller's clock was set back", () => {
  const year9999 = 253_402_300_799_000;
  const times = timesOf([1_700_000_000_000, year9999, 1_700_000_000_066, 1_700_000_000_099, 1_600_000_000_000]);
  expect(times.map((ms) => ms - times[1]!)).toEqual([1_700_000_000_000 - year9999, 0, 0, 33, 33]);
});
