import { expect, it } from "vitest";
import { FaceSignals } from "./face-signals.ts";
import { NEUTRAL_SCORE, neutralOffsets, withoutOffset } from "./neutral-calibration.ts";

it("a neutral face scores the neutral score or less, and low scores stay as they are", () => {
  for (const neutral of [0, 1e-6, 0.03, 0.05, 0.2, 0.7, 0.99, 1]) {
    const [offset] = neutralOffsets([neutral]);
    expect(withoutOffset(neutral, offset!)).toBeLessThanOrEqual(NEUTRAL_SCORE + 1e-12);
    if (neutral <= NEUTRAL_SCORE) expect(withoutOffset(neutral, offset!)).toBe(neutral);
  }
});

it("keeps the order of scores and never raises one", () => {
  const [offset] = neutralOffsets([0.4]);
  let last = -1;
  for (let score = 0.001; score < 1; score += 0.001) {
    const calibrated = withoutOffset(score, offset!);
    expect(calibrated).toBeGreaterThan(last);
    expect(calibrated).toBeLessThanOrEqual(score);
    last = calibrated;
  }
});

const scores = (score: number) => [{ actionUnit: 12, score, threshold: 0.5 }];

it("is each face's own; faces to come are measured too when all are meant", () => {
  const signals = new FaceSignals({ kind: "none" });
  signals.next(1n, scores(0.6), 0);
  signals.calibrate({ kind: "measure", frames: 2 });
  expect(signals.next(1n, scores(0.5), 1).measured).toBe(undefined);
  const { measured } = signals.next(1n, scores(0.7), 2);
  expect(measured).toMatchObject({ faceId: 1n, frames: 2 });
  expect(measured!.scores[0]!.score).toBeCloseTo(0.6, 12);
  expect(signals.next(1n, scores(0.6), 3).scores[0]!.score).toBeCloseTo(NEUTRAL_SCORE, 12);
  expect(signals.next(2n, scores(0.3), 3).calibration).toBe("");
  expect(signals.next(2n, scores(0.3), 4).measured).toMatchObject({ faceId: 2n });
  signals.calibrate({ kind: "reset" }, 1n);
  expect(signals.next(1n, scores(0.6), 5)).toEqual({ scores: scores(0.6), calibration: "" });
  expect(signals.next(2n, scores(0.3), 5).calibration).toContain("neutral offset");
});

it("without calibration and smoothing, scores come out untouched", () => {
  const signals = new FaceSignals({ kind: "none" });
  const input = scores(0.3);
  expect(signals.next(1n, input, 0).scores[0]).toBe(input[0]);
});

it("ends when the model changes", () => {
  const signals = new FaceSignals({ kind: "none" });
  signals.calibrate({ kind: "baseline", scores: [{ actionUnit: 12, score: 0.6 }] });
  expect(signals.next(1n, scores(0.6), 0).calibration).toBe("neutral offset, stored baseline");
  signals.modelChanged();
  expect(signals.next(1n, scores(0.6), 1).calibration).toBe("");
});
