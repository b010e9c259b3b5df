import { createRandom } from "@duchenne/data";
import { expect, it } from "vitest";
import { createScoreFilter, type Smoothing } from "./smoothing.ts";

const kinds: Smoothing[] = [
  { kind: "ema", halfLifeMs: 100 },
  { kind: "one-euro", minCutoffHz: 1, beta: 0.5, derivativeCutoffHz: 1 },
];

it.each(kinds)("$kind begins with the first value, keeps a constant and stays within what it saw", (smoothing) => {
  const random = createRandom([1, "smoothing"]);
  const filter = createScoreFilter(smoothing);
  expect(filter.next(0.4, 0)).toBe(0.4);
  for (let t = 1; t < 50; t++) expect(filter.next(0.4, 33 * t)).toBe(0.4);
  for (let t = 50; t < 500; t++) {
    const value = filter.next(random.uniform(), 33 * t);
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(1);
  }
});

it.each(kinds)("$kind comes to a step in the end, and does not move when no time passes", (smoothing) => {
  const filter = createScoreFilter(smoothing);
  filter.next(0, 0);
  expect(filter.next(1, 0)).toBe(0);
  for (let t = 1; t < 300; t++) filter.next(1, 33 * t);
  expect(filter.next(1, 10_000)).toBeCloseTo(1, 3);
});

it("an exponential average does not depend on the frame rate", () => {
  const [slow, fast] = [createScoreFilter(kinds[0]!), createScoreFilter(kinds[0]!)];
  for (const filter of [slow, fast]) filter.next(0, 0);
  for (let t = 10; t < 200; t += 10) fast.next(1, t);
  expect(fast.next(1, 200)).toBeCloseTo(slow.next(1, 200), 12);
  expect(slow.next(1, 200)).toBeCloseTo(0.75, 12);
});

it("a one-euro filter is Casiez and others' own, step by step", () => {
  // Computed by hand from the paper's algorithm: Te = 0.1 s, mincutoff 1, beta 2, dcutoff 1.
  const filter = createScoreFilter({ kind: "one-euro", minCutoffHz: 1, beta: 2, derivativeCutoffHz: 1 });
  const alpha = (cutoff: number) => 1 / (1 + 1 / (2 * Math.PI * cutoff) / 0.1);
  let value = 0;
  let speed = 0;
  filter.next(0, 0);
  for (const [i, raw] of [0.5, 0.7, 0.2].entries()) {
    speed += alpha(1) * ((raw - value) / 0.1 - speed);
    value += alpha(1 + 2 * Math.abs(speed)) * (raw - value);
    expect(filter.next(raw, 100 * (i + 1))).toBeCloseTo(value, 12);
  }
});

it("a one-euro filter is smoother at rest and quicker in movement than an average of its cut-off", () => {
  const lag = (beta: number) => {
    const filter = createScoreFilter({ kind: "one-euro", minCutoffHz: 1, beta, derivativeCutoffHz: 1 });
    filter.next(0, 0);
    return 1 - filter.next(1, 100);
  };
  expect(lag(5)).toBeLessThan(lag(0));
});

it("none is none", () => {
  const filter = createScoreFilter({ kind: "none" });
  expect([0.1, 0.9, 0.2].map((value, t) => filter.next(value, t))).toEqual([0.1, 0.9, 0.2]);
});
