import { createRandom } from "@duchenne/data";
import { describe, expect, it } from "vitest";
import { prepareSharedSweep } from "./shared-sweep.ts";
import { f1At, type ScoredLabels } from "./sweep.ts";

const FRAMES = 90;
const OWNERS = Int32Array.from({ length: FRAMES }, (_, frame) => frame % 6);

/** One action unit's scores; every seventh label is not known. @param scoreOf draws a score of a label */
function unit(name: string, scoreOf: (label: number, uniform: number) => number): ScoredLabels {
  const random = createRandom(["shared-sweep-test", name]);
  const frames = Array.from({ length: FRAMES }, (_, frame) => frame).filter((frame) => frame % 7 !== 0);
  const positive = frames.map(() => (random.uniform() < 0.3 ? 1 : 0));
  return { frames, positive, scores: positive.map((label) => Math.fround(scoreOf(label, random.uniform()))) };
}

/** The frames as often as their sampling units count, each for itself. */
function resampled({ frames, positive, scores }: ScoredLabels, weights: Uint16Array): ScoredLabels {
  const rows = frames.flatMap((frame, i) => Array<number>(weights[OWNERS[frame]!]!).fill(i));
  return {
    frames: rows.map((i) => frames[i]!),
    positive: rows.map((i) => positive[i]!),
    scores: rows.map((i) => scores[i]!),
  };
}

describe("a shared sweep", () => {
  it.each([
    ["ordinary scores", (label: number, uniform: number) => 0.4 * label + 0.6 * uniform],
    ["scores at the thresholds themselves", (_: number, uniform: number) => Math.round(100 * uniform) / 100],
    ["scores of 0 and 1", (label: number, uniform: number) => (uniform < 0.8 ? label : 1 - label)],
    ["all ties", () => 0.3],
  ])("of each resample is that of its frames one by one: %s", (name, scoreOf) => {
    const units = ["a", "b", "c"].map((each) => unit(name + each, scoreOf));
    const sweep = prepareSharedSweep(units, { owners: OWNERS });
    for (const weights of [
      Uint16Array.of(1, 1, 1, 1, 1, 1),
      Uint16Array.of(2, 0, 1, 0, 3, 0),
      Uint16Array.of(0, 0, 0, 0, 0, 6),
    ]) {
      const drawn = units.map((each) => resampled(each, weights));
      let best = { threshold: 0, value: -1, units: [] as number[] };
      for (let percent = 1; percent <= 99; percent++) {
        const f1s = drawn.map((each) => f1At(each, percent / 100));
        const value = f1s.reduce((sum, f1) => sum + f1, 0) / f1s.length;
        if (value > best.value) best = { threshold: percent / 100, value, units: f1s };
      }
      expect(sweep(weights)).toEqual(best);
    }
  });

  it("counts an action unit without known labels as 0", () => {
    const none = { frames: [], scores: [], positive: [] };
    const { value, units } = prepareSharedSweep([none], { owners: OWNERS })(new Uint16Array(6).fill(1));
    expect({ value, units }).toEqual({ value: 0, units: [0] });
  });
});
