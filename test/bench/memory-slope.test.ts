import { expect, it } from "vitest";
import { memorySlope, slopesOfThirds } from "./memory-slope.ts";

const samples = (rssMb: (minutes: number) => number) =>
  Array.from({ length: 91 }, (_, i) => ({ minutes: i / 10, rssMb: rssMb(i / 10) }));

it("a leak rises in every third, a warm-up in the first alone", () => {
  for (const slope of slopesOfThirds(samples((minutes) => 300 + 2 * minutes))) expect(slope).toBeCloseTo(2, 9);
  const [first, second, third] = slopesOfThirds(samples((minutes) => 300 + 50 * (1 - Math.exp(-2 * minutes))));
  expect(first).toBeGreaterThan(5);
  expect(second).toBeLessThan(0.2);
  expect(third).toBeLessThan(0.01);
});

it("the slope is that of the line with the least squares", () => {
  expect(memorySlope([0, 1, 2].map((minutes) => ({ minutes, rssMb: [10, 14, 12][minutes]! })))).toBeCloseTo(1, 12);
});
