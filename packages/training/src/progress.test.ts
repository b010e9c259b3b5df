import { describe, expect, it } from "vitest";
import { afterEpoch, afterStep, epochMeans, isOutOfPatience, NO_PROGRESS, type Progress } from "./progress.ts";

const validated = (...figures: (number | undefined)[]): Progress =>
  figures.reduce<Progress>(
    (progress, figure, i) => afterEpoch(progress, i + 1, { metrics: { "validation/macroAuc": figure ?? 0 }, figure }),
    NO_PROGRESS,
  );

describe("progress", () => {
  it("keeps the first epoch with the largest figure", () => {
    expect(validated(0.5, 0.7, 0.7, 0.6).best).toMatchObject({ epoch: 2, figure: 0.7 });
    expect(validated(0.5, 0.7, 0.7, 0.6).last).toMatchObject({ epoch: 4, figure: 0.6 });
  });
  it("takes any figure for better than none", () => {
    expect(validated(undefined, 0.1, undefined).best?.epoch).toBe(2);
    expect(validated(undefined, undefined).best?.epoch).toBe(1);
  });
  it("runs out of patience after so many epochs without a better figure, and never without patience", () => {
    expect(isOutOfPatience(validated(0.7, 0.6), { patience: 2 })).toBe(false);
    expect(isOutOfPatience(validated(0.7, 0.6, 0.5), { patience: 2 })).toBe(true);
    expect(isOutOfPatience(validated(0.7, 0.6, 0.8), { patience: 2 })).toBe(false);
    expect(isOutOfPatience(validated(0.7, 0.6, 0.5), { patience: 0 })).toBe(false);
  });
  it("averages over an epoch what its steps measured, each over those that did", () => {
    const two = afterStep(afterStep(NO_PROGRESS, { loss: 1, ratio: 3 }), { loss: 2 });
    expect(two.step).toBe(2);
    expect(epochMeans(two)).toEqual({ "epoch/loss": 1.5, "epoch/ratio": 3 });
    expect(afterEpoch(two, 1, undefined)).toMatchObject({ step: 2, epochsClosed: 1, epochSums: {} });
  });
});
