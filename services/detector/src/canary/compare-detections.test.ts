import type { ActionUnitScore, Detection } from "@duchenne/vision";
import { expect, it } from "vitest";
import { compareDetections } from "./compare-detections.ts";

const detection = (...faces: ActionUnitScore[][]): Detection => ({
  faces: faces.map((scores) => ({ box: { left: 0, top: 0, width: 1, height: 1 }, confidence: 1, scores })),
  imageSize: { width: 1, height: 1 },
  times: { queueMs: 0, decodeMs: 0, facesMs: 0, inferenceMs: 0, totalMs: 0 },
});
const score = (actionUnit: number, value: number, threshold = 0.5): ActionUnitScore => ({
  actionUnit,
  score: value,
  threshold,
});

it("compares what both answer of each face, each by its own threshold", () => {
  const live = detection([score(1, 0.25), score(4, 0.9), score(12, 0.6)], [score(12, 0.25)]);
  const canary = detection([score(12, 0.5, 0.6), score(1, 0.75), score(15, 1)], [score(12, 0.125)]);
  expect(compareDetections(live, canary, true)).toEqual([
    { actionUnit: 1, difference: 0.5, decision: "canary-only" },
    { actionUnit: 12, difference: expect.closeTo(-0.1, 12), decision: "live-only" },
    { actionUnit: 12, difference: -0.125, decision: "same" },
  ]);
});

it("leaves out sides, and differences of scores that do not mean the same", () => {
  const live = detection([score(12, 0.6), { ...score(12, 0.9), side: "left" }]);
  expect(compareDetections(live, detection([score(12, 0.7)]), false)).toEqual([
    { actionUnit: 12, difference: undefined, decision: "same" },
  ]);
});
