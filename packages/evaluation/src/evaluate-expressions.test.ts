import { createRandom } from "@duchenne/data";
import { describe, expect, it } from "vitest";
import {
  documentToMarkdown,
  type ExpressionEvaluationInput,
  evaluateExpressions,
  expressionDocument,
  expressionReportSchema,
} from "./index.ts";

/** Six frames of three classes: two answers are wrong. */
function input(changes: Partial<ExpressionEvaluationInput> = {}): ExpressionEvaluationInput {
  const answers = [0, 1, 1, 1, 0, 2];
  return {
    expressions: ["anger", "joy", "neutral"],
    logits: Float32Array.from({ length: 18 }, (_, i) => (answers[Math.floor(i / 3)] === i % 3 ? 1 : 0)),
    labels: Int32Array.of(0, 0, 1, 1, 1, 2),
    subjects: ["a", "a", "a", "b", "b", "b"],
    seed: 1,
    resamples: 200,
    ...changes,
  };
}

/** Frames whose class is answered with a given chance, `frames` of each subject. */
function drawn(subjects: number, frames: number, { isKnown = true } = {}): ExpressionEvaluationInput {
  const random = createRandom([subjects, frames, "expression-test"]);
  const count = subjects * frames;
  const labels = Int32Array.from({ length: count }, () => random.integer(3));
  const logits = Float32Array.from({ length: 3 * count }, (_, i) => (labels[Math.floor(i / 3)] === i % 3 ? 1 : 0));
  return input({
    labels,
    logits: logits.map((logit) => logit + random.normal()),
    subjects: Array.from({ length: count }, (_, i) => (isKnown ? `s${Math.floor(i / frames)}` : "")),
  });
}

describe("an expression classifier's report", () => {
  it("has accuracy, recall and F1 of each class, their means, cross-entropy and confusion", () => {
    const report = evaluateExpressions(input());
    expect(report.top1.value).toBeCloseTo(4 / 6, 12);
    expect(report.trivialTop1).toBe(0.5);
    expect(report.expressions.map(({ recall }) => recall.value)).toEqual([1 / 2, 2 / 3, 1]);
    expect(report.expressions.map(({ f1 }) => f1.value)).toEqual([2 / 4, 4 / 6, 1]);
    expect(report.meanClassAccuracy.value).toBeCloseTo((1 / 2 + 2 / 3 + 1) / 3, 12);
    expect(report.macroF1.value).toBeCloseTo((2 / 4 + 4 / 6 + 1) / 3, 12);
    expect(report.crossEntropy.value).toBeCloseTo(Math.log(Math.E + 2) - 4 / 6, 12);
    expect(report.confusion).toEqual([
      [1, 1, 0],
      [1, 2, 0],
      [0, 0, 1],
    ]);
    expect(expressionReportSchema.parse(report)).toEqual(report);
  });

  it("leaves frames out whose class is not known, and says how many", () => {
    const report = evaluateExpressions(input({ labels: Int32Array.of(0, -1, 1, 1, -1, 2) }));
    expect(report).toMatchObject({ frames: 4, framesLeftOut: 2, subjects: 2, top1: { value: 1 } });
  });

  it("has means over the classes that occur, whatever else is answered", () => {
    const report = evaluateExpressions(input({ labels: Int32Array.of(0, 0, 1, 1, 1, 0) }));
    // "neutral" is answered once, but no frame is labelled so: scikit-learn's mean has a 0 for it.
    expect(report.expressions.map(({ f1 }) => f1.value)).toEqual([2 / 5, 4 / 6, undefined]);
    expect(report.macroF1.value).toBeCloseTo((2 / 5 + 4 / 6) / 2, 12);
    expect(report.meanClassAccuracy.value).toBeCloseTo((1 / 3 + 2 / 3) / 2, 12);
  });

  it("tells the classes that the data set does not have from those that do not occur", () => {
    const labels = Int32Array.of(0, 0, 0, 0, 0, 0);
    const told = (more: Partial<ExpressionEvaluationInput>) =>
      evaluateExpressions(input({ labels, ...more })).expressions.map(({ isInDataset }) => isInDataset);
    expect(told({ datasetExpressions: ["neutral", "anger"] })).toEqual([true, false, true]);
    expect(told({})).toEqual([true, true, true]);
  });

  it("is read without macro F1 where an earlier release stored it", () => {
    const { macroF1, ...earlier } = evaluateExpressions(input());
    expect(macroF1.value).toBeDefined();
    const read = expressionReportSchema.parse(earlier);
    expect(read.macroF1).toEqual({});
    expect(documentToMarkdown(expressionDocument(read, "Earlier"))).toContain("| Macro F1 | undefined |");
  });

  it("draws subjects, which tell less than as many frames that know nothing of each other", () => {
    const bySubject = evaluateExpressions(drawn(6, 50));
    const byFrame = evaluateExpressions(drawn(6, 50, { isKnown: false }));
    expect(bySubject).toMatchObject({ subjects: 6, intervalsOver: "subjects" });
    expect(byFrame).toMatchObject({ subjects: 0, intervalsOver: "frames" });
    expect(byFrame.top1.value).toBe(bySubject.top1.value);
    // Of independent frames the interval is that of a proportion: 1.96 standard errors on each side.
    const share = byFrame.top1.value!;
    const width = 2 * 1.96 * Math.sqrt((share * (1 - share)) / 300);
    expect((byFrame.top1.upper! - byFrame.top1.lower!) / width).toBeCloseTo(1, 0);
    for (const { recall, f1 } of byFrame.expressions) {
      for (const { value, lower, upper } of [recall, f1]) expect(lower! < value! && value! < upper!).toBe(true);
    }
    expect(evaluateExpressions(drawn(6, 50))).toEqual(bySubject);
  });

  it("has no interval for a single subject", () => {
    expect(evaluateExpressions(input({ subjects: Array(6).fill("a") })).top1).toEqual({ value: 4 / 6 });
  });

  it("measures identity leakage where subjects are known", () => {
    const features = Float32Array.from({ length: 12 }, (_, i) => (i < 6 ? 1 : -1) + 0.1 * Math.sin(i));
    const leakage = evaluateExpressions(input({ features })).identityLeakage;
    expect(leakage).toMatchObject({ chance: 0.5, subjects: 2, accuracy: { value: 1 } });
    expect(evaluateExpressions(input({ features, subjects: Array(6).fill("") }))).not.toHaveProperty("identityLeakage");
  });

  it("refuses arrays that do not fit", () => {
    expect(() => evaluateExpressions(input({ logits: new Float32Array(17) }))).toThrow("Expected 18 logits, got 17");
    expect(() => evaluateExpressions(input({ subjects: ["a"] }))).toThrow("Expected 6 subjects, got 1");
  });

  it("keeps a class in its cell of Markdown, whatever its name", () => {
    const report = evaluateExpressions(input({ expressions: ["joy | awe", "two\nlines", "neutral"] }));
    const markdown = documentToMarkdown(expressionDocument(report, "Report"));
    expect(markdown).toContain("\n| Label | joy \\| awe | two lines | neutral |\n");
    expect(markdown).toMatch(/^\| joy \\\| awe \| 2 \| /m);
  });

  it("is written for people", () => {
    const report = evaluateExpressions(
      input({ labels: Int32Array.of(0, 0, 1, 1, -1, 1), subjects: Array(6).fill("") }),
    );
    const withoutIntervals = expressionReportSchema.parse(
      JSON.parse(JSON.stringify(report, (key, value) => (key === "lower" || key === "upper" ? undefined : value))),
    );
    expect(documentToMarkdown(expressionDocument(withoutIntervals, "Report"))).toMatchInlineSnapshot(`
      "# Report

      5 frames of unknown subjects. Intervals: 95 %, bootstrap over frames (200 resamples, seed 1).

      Frames left out, whose class the model does not know: 1.

      | Figure | Value | Knowing nothing |
      |---|---:|---:|
      | Top-1 accuracy | 0.600 | 0.600 |
      | Mean class accuracy (UAR) | 0.583 | 0.500 |
      | Macro F1 | 0.667 | 0.500 |
      | Cross-entropy | 0.951 | 1.099 |

      | Expression | Frames | Recall | F1 |
      |---|---:|---:|---:|
      | anger | 2 | 0.500 | 0.667 |
      | joy | 3 | 0.667 | 0.667 |
      | neutral | 0 | undefined | undefined |

      Frames by their label (rows) and by the answer (columns):

      | Label | anger | joy | neutral |
      |---|---:|---:|---:|
      | anger | 1 | 1 | 0 |
      | joy | 0 | 2 | 1 |
      | neutral | 0 | 0 | 0 |
      "
    `);
  });
});
