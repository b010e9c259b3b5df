import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { evaluate, evaluateExpressions, NonFiniteScoreError, topAccuracy } from "./index.ts";
import { UNIT_FIGURES } from "./unit-statistics.ts";

// What scikit-learn answers, and where ours differs on purpose: test/reference/make_metrics_fixture.py.
const numbers = z.array(z.number());
const perOutput = z.array(z.number().nullable());
const fixture = z
  .object({
    actionUnits: z.array(
      z.object({
        name: z.string(),
        probabilities: numbers,
        occurrence: numbers,
        thresholds: numbers,
        f1: numbers,
        meanF1: z.number(),
        f1Micro: z.number(),
        f1AtHalf: numbers,
        confusion: z.array(z.record(z.string(), z.int())),
        sweptThreshold: z.number(),
        sweptF1: z.number(),
        sweptF1OfUnits: numbers,
        auc: perOutput,
        macroAuc: z.number().nullable(),
        averagePrecision: perOutput,
        macroAveragePrecision: z.number().nullable(),
        calibrationError: perOutput,
        meanCalibrationError: z.number().nullable(),
        brierScore: perOutput,
      }),
    ),
    expressions: z.array(
      z.object({
        name: z.string(),
        classes: z.int(),
        logits: numbers,
        labels: numbers,
        top1: z.number(),
        top5: z.number(),
        recall: perOutput,
        f1: perOutput,
        macroF1: z.number(),
        meanClassAccuracy: z.number(),
        crossEntropy: z.number(),
        confusion: z.array(numbers),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("../../../test/reference/fixtures/metrics.json", import.meta.url), "utf8")));

/** Equal to rounding in double precision, and undefined where the fixture has null. */
function expectClose(actual: number | undefined, expected: number | null, what: string): void {
  if (expected === null) expect(actual, what).toBeUndefined();
  else expect(Math.abs(actual! - expected), what).toBeLessThan(1e-12 * (1 + Math.abs(expected)));
}

const bootstrap = { seed: 1, resamples: 20 };

describe("as scikit-learn, of action units", () => {
  it.each(fixture.actionUnits)("$name", (expected) => {
    const units = expected.f1.length;
    const frames = expected.probabilities.length / units;
    const report = evaluate({
      ...bootstrap,
      actionUnits: expected.f1.map((_, unit) => unit + 1),
      probabilities: Float32Array.from(expected.probabilities),
      occurrence: Int8Array.from(expected.occurrence),
      subjects: Array.from({ length: frames }, (_, i) => `s${i % 5}`),
      thresholds: expected.thresholds,
    });
    for (const [unit, { confusion, ...actual }] of report.actionUnits.entries()) {
      for (const figure of UNIT_FIGURES)
        expectClose(actual[figure].value, expected[figure][unit]!, `${figure} ${unit}`);
      expectClose(actual.sweptF1.value, expected.sweptF1OfUnits[unit]!, `swept F1 ${unit}`);
      expect(confusion).toEqual(expected.confusion[unit]);
    }
    expectClose(report.f1Micro.value, expected.f1Micro, "F1-micro");
    expectClose(report.macroAveragePrecision.value, expected.macroAveragePrecision, "macro average precision");
    expectClose(report.meanCalibrationError.value, expected.meanCalibrationError, "mean calibration error");
    expectClose(report.meanF1.value, expected.meanF1, "mean F1");
    expectClose(report.macroAuc.value, expected.macroAuc, "macro AUC");
    expectClose(report.sweptF1.value, expected.sweptF1, "swept F1");
    expect(report.sweptF1.threshold).toBe(expected.sweptThreshold);
  });
});

describe("as scikit-learn, of expressions", () => {
  it.each(fixture.expressions)("$name", (expected) => {
    const { labels, classes } = expected;
    const logits = Float32Array.from(expected.logits);
    const report = evaluateExpressions({
      ...bootstrap,
      expressions: Array.from({ length: classes }, (_, i) => `class ${i}`),
      logits,
      labels: Int32Array.from(labels),
      subjects: labels.map(() => ""),
    });
    expectClose(report.top1.value, expected.top1, "top-1");
    expectClose(report.meanClassAccuracy.value, expected.meanClassAccuracy, "mean class accuracy");
    expectClose(report.macroF1.value, expected.macroF1, "macro F1");
    expectClose(report.crossEntropy.value, expected.crossEntropy, "cross-entropy");
    for (const [index, { recall, f1 }] of report.expressions.entries()) {
      expectClose(recall.value, expected.recall[index]!, `recall of class ${index}`);
      expectClose(f1.value, expected.f1[index]!, `F1 of class ${index}`);
    }
    expect(report.confusion).toEqual(expected.confusion);
    const known = labels.flatMap((label, i) => (label === -1 ? [] : [i]));
    const frames = {
      logits: Float32Array.from(known.flatMap((i) => [...logits.subarray(i * classes, (i + 1) * classes)])),
      labels: Int32Array.from(known, (i) => labels[i]!),
    };
    expectClose(topAccuracy(frames, 1), expected.top1, "top-1");
    expectClose(topAccuracy(frames, 5), expected.top5, "top-5");
  });
});

describe("what no figure can be made of is refused", () => {
  const actionUnits = (probabilities: number[]) =>
    evaluate({
      ...bootstrap,
      actionUnits: [1],
      probabilities: Float32Array.from(probabilities),
      occurrence: Int8Array.from(probabilities, (_, i) => i % 2),
      subjects: probabilities.map((_, i) => `s${i}`),
      thresholds: [0.5],
    });
  const expressions = (logits: number[], labels: number[]) =>
    evaluateExpressions({
      ...bootstrap,
      expressions: ["a", "b"],
      logits: Float32Array.from(logits),
      labels: Int32Array.from(labels),
      subjects: labels.map(() => ""),
    });

  it("no frames, or none with a class", () => {
    expect(() => actionUnits([])).toThrow("Expected at least one frame, got none");
    expect(() => expressions([], [])).toThrow("Expected at least one frame with a known class, got none");
    expect(() => expressions([0, 1], [-1])).toThrow("Expected at least one frame with a known class, got none");
    expect(() => topAccuracy({ logits: new Float32Array(), labels: new Int32Array() }, 1)).toThrow("got none");
  });

  it("scores that are no numbers, with their place", () => {
    const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
    expect(() => actionUnits([0.5, none])).toThrow("Expected finite scores, got NaN in frame 1, output 0");
    expect(() => expressions([0, 1, 2, infinity], [0, 1])).toThrow("got Infinity in frame 1, output 1");
    expect(() => expressions([none, 1], [0])).toThrow(NonFiniteScoreError);
    const frames = { logits: Float32Array.of(none, 1), labels: Int32Array.of(0) };
    expect(() => topAccuracy(frames, 1)).toThrow(NonFiniteScoreError);
  });
});
