import { describe, expect, it } from "vitest";
import { learningRateAt } from "./schedule.ts";

describe("the schedule", () => {
  const schedule = { peakLearningRate: 1, minLearningRate: 0.1, warmupEpochs: 2, epochs: 10 };

  it("warms up from exactly 0, peaks, and falls along half a cosine to the floor", () => {
    expect([0, 1, 2, 6, 10].map((epoch) => learningRateAt(epoch, schedule))).toEqual([
      0,
      0.5,
      1,
      0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI / 2)),
      0.1,
    ]);
  });
});
