import { describe, expect, it } from "vitest";
import { accuracyOf, comparePaired, evaluate, macroAucOf } from "./index.ts";

const options = { resamples: 400, seed: 5 };
const subjects = Array.from({ length: 60 }, (_, i) => `s${i % 12}`);
const actionUnits = [1, 12];
const occurrence = Int8Array.from({ length: 120 }, (_, i) => (i % 7 === 0 ? -1 : (i * 5) % 3 === 0 ? 1 : 0));
const probabilities = Float32Array.from({ length: 120 }, (_, i) => ((i * 37) % 101) / 101);
const scored = { actionUnits, occurrence, probabilities };

describe("a paired comparison", () => {
  it("of a model with itself is nothing, without any doubt", () => {
    const figure = macroAucOf(scored);
    const { before, after, change } = comparePaired([{ subjects, before: figure, after: figure }], options);
    expect(change).toEqual({ value: 0, lower: 0, upper: 0 });
    expect(after).toEqual(before);
    expect(before.upper! - before.lower!).toBeGreaterThan(0.05);
  });

  it("has the macro AUC and the interval of an evaluation", () => {
    const { macroAuc } = evaluate({ ...scored, subjects, thresholds: [0.5, 0.5], ...options });
    const figure = macroAucOf(scored);
    expect(comparePaired([{ subjects, before: figure, after: figure }], options).before).toEqual(macroAuc);
  });

  it("turns its sign with the order of the models", () => {
    const half = accuracyOf(Uint8Array.from({ length: 60 }, (_, i) => i % 2));
    const third = accuracyOf(Uint8Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 1 : 0)));
    const there = comparePaired([{ subjects, before: half, after: third }], options).change;
    const back = comparePaired([{ subjects, before: third, after: half }], options).change;
    expect(there.value).toBeCloseTo(1 / 3 - 1 / 2, 12);
    expect(back.value).toBeCloseTo(-there.value!, 12);
    expect(back.lower).toBeCloseTo(-there.upper!, 12);
  });

  it("is narrower than the interval of either model when both find the same subjects hard", () => {
    const byOwner = (better: number) =>
      accuracyOf(Uint8Array.from({ length: 60 }, (_, i) => ((i % 12) + better > 6 ? 1 : 0)));
    const { before, change } = comparePaired([{ subjects, before: byOwner(0), after: byOwner(1) }], options);
    expect(change.value).toBeCloseTo(1 / 12, 12);
    expect(change.upper! - change.lower!).toBeLessThan(before.upper! - before.lower!);
  });

  it("of several runs compares the means over runs, and draws a subject in all of them at once", () => {
    const right = (share: number) => accuracyOf(Uint8Array.from({ length: 60 }, (_, i) => (i < 60 * share ? 1 : 0)));
    const runs = [
      { subjects, before: right(0.5), after: right(0.25) },
      { subjects, before: right(1), after: right(0.75) },
    ];
    const { before, after, change } = comparePaired(runs, options);
    expect([before.value, after.value, change.value]).toEqual([0.75, 0.5, -0.25]);
    const twice = comparePaired([runs[0]!, runs[0]!], options);
    expect(twice).toEqual(comparePaired([runs[0]!], options));
  });

  it("leaves out a figure that does not exist", () => {
    const oneClass = { ...scored, occurrence: new Int8Array(120) };
    const run = { subjects, before: macroAucOf(scored), after: macroAucOf(oneClass) };
    expect(comparePaired([run], options)).toEqual({ before: {}, after: {}, change: {} });
  });
});
