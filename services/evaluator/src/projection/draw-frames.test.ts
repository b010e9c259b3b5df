import type { Sample } from "@duchenne/data";
import { describe, expect, it } from "vitest";
import { drawFrames } from "./draw-frames.ts";

/** Subject "a" with 3 frames, "b" with 10, "c" with 20, one after the other. */
const samples = ["a", "b", "c"].flatMap((subject, i) =>
  Array.from({ length: [3, 10, 20][i]! }, () => ({ subject }) as Sample),
);
const all = Uint32Array.from(samples.keys());
const subjectsOf = (drawn: Uint32Array) =>
  Object.fromEntries(
    [...Map.groupBy(drawn, (frame) => samples[frame]!.subject)].map(([name, { length }]) => [name, length]),
  );
const draw = (options: { maxFrames?: number; maxSubjects?: number; seed?: number } = {}, frames = all) =>
  drawFrames({ samples }, frames, { maxFrames: 1000, seed: 1, ...options });

describe("frames of a projection", () => {
  it("are all, each once, when there are not too many", () => {
    expect([...draw()].sort((a, b) => a - b)).toEqual([...all]);
  });

  it("are as many of each subject as it has", () => {
    const { a, b, c } = subjectsOf(draw({ maxFrames: 12 }));
    expect([a, ...[b, c].toSorted()]).toEqual([3, 4, 5]);
    expect(subjectsOf(draw({ maxFrames: 9 }))).toEqual({ a: 3, b: 3, c: 3 });
  });

  it("are of as many subjects as asked for, in mixed order", () => {
    const drawn = draw({ maxSubjects: 2, seed: 3 });
    expect(Object.keys(subjectsOf(drawn))).toHaveLength(2);
    const first = Array.from(draw().subarray(0, 6), (frame) => samples[frame]!.subject);
    expect(first.toSorted()).toEqual(["a", "a", "b", "b", "c", "c"]);
  });

  it("are the same of the same seed, and others of another", () => {
    expect(draw({ maxFrames: 12 })).toEqual(draw({ maxFrames: 12 }));
    expect(draw({ maxFrames: 12 })).not.toEqual(draw({ maxFrames: 12, seed: 2 }));
    const choices = new Set(
      [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => Object.keys(subjectsOf(draw({ maxSubjects: 1, seed })))[0]),
    );
    expect(choices.size).toBeGreaterThan(1);
  });

  it("are of the part alone, whatever order it is in", () => {
    const part = Uint32Array.from([...all].filter((frame) => frame % 2 === 0));
    const drawn = draw({ maxFrames: 8 }, part);
    expect(drawn.every((frame) => frame % 2 === 0)).toBe(true);
  });
});
