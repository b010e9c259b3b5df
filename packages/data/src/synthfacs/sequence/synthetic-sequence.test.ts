import { describe, expect, it } from "vitest";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS, SYNTHFACS_BASE_RATES } from "../subject.ts";
import { createSyntheticSequence } from "./synthetic-sequence.ts";

const subject = createSyntheticSubject(1, 0, 0);
const options = { seed: 1, index: 0, frames: 300, frameRateHz: 30, speech: false };
const at = (number: number) => SYNTHFACS_ACTION_UNITS.indexOf(number);

describe("a sequence", () => {
  it("is the same for the same seed, another for another index", () => {
    const frames = createSyntheticSequence(subject, options);
    expect(createSyntheticSequence(subject, options)).toEqual(frames);
    expect(createSyntheticSequence(subject, { ...options, index: 1 })).not.toEqual(frames);
  });

  it("moves head and brows smoothly", () => {
    const frames = createSyntheticSequence(subject, options);
    for (const [i, frame] of frames.slice(1).entries()) {
      expect(Math.abs(frame.yaw - frames[i]!.yaw)).toBeLessThan(1);
      // The fastest onset takes 0.2 s, at most 1.5 times as fast in its middle as on average.
      const step = Math.abs(frame.intensities[at(1)]! - frames[i]!.intensities[at(1)]!);
      expect(step).toBeLessThanOrEqual((1.5 * 5) / (0.2 * 30) + 0.01);
    }
  });

  it("has its action units about as often as single frames", () => {
    const frames = Array.from({ length: 40 }, (_, index) =>
      createSyntheticSequence(subject, { ...options, index }),
    ).flat();
    for (const number of [1, 4, 6, 12]) {
      const share = frames.filter(({ intensities }) => intensities[at(number)]! >= 2).length / frames.length;
      expect(share / SYNTHFACS_BASE_RATES.get(number)!).toBeGreaterThan(0.6);
      expect(share / SYNTHFACS_BASE_RATES.get(number)!).toBeLessThan(1.5);
    }
  });

  it("blinks", () => {
    const closed = createSyntheticSequence(subject, options).map(({ intensities }) => intensities[at(43)]! > 4);
    const times = closed.filter((shut, i) => shut && closed[i - 1] === false).length;
    expect(times).toBeGreaterThanOrEqual(1);
    expect(times).toBeLessThanOrEqual(8);
  });

  it("opens and shuts the mouth with syllables when the subject speaks", () => {
    const silent = { ...subject, baseRates: subject.baseRates.map(() => 1e-6) };
    const mouth = (speech: boolean) =>
      createSyntheticSequence(silent, { ...options, speech }).map(({ intensities }) => intensities[at(25)]!);
    expect(Math.max(...mouth(false))).toBe(0);
    const opened = mouth(true).filter((value, i, all) => i > 0 && value > 1 && all[i - 1]! <= 1).length;
    expect(opened).toBeGreaterThan(15);
    expect(opened).toBeLessThan(46);
  });
});
