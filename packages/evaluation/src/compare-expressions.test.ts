import { describe, expect, it } from "vitest";
import {
  compareExpressions,
  documentToMarkdown,
  type ExpressionScores,
  evaluateExpressions,
  expressionComparisonDocument,
  FramesDifferError,
  NoSharedExpressionError,
} from "./index.ts";

const options = { resamples: 200, seed: 5 };
const FRAMES = 60;
const CLASSES = ["anger", "joy", "neutral", "never"];

/** Scores whose labels are the same for every model; of `errors` in 12 frames the answer is the next class. */
function scored(errors: number, more: Partial<ExpressionScores> = {}): ExpressionScores {
  const expressions = more.expressions ?? CLASSES;
  const labelOf = (frame: number) => CLASSES[frame % 3]!;
  const answerOf = (frame: number) => ((frame * 5) % 12 < errors ? CLASSES[(frame + 1) % 3]! : labelOf(frame));
  return {
    expressions,
    frames: Uint32Array.from({ length: FRAMES }, (_, i) => i + 10),
    subjects: Array.from({ length: FRAMES }, (_, i) => `s${i % 10}`),
    labels: Int32Array.from({ length: FRAMES }, (_, i) => (i % 15 === 0 ? -1 : expressions.indexOf(labelOf(i)))),
    logits: Float32Array.from({ length: FRAMES * expressions.length }, (_, i) => {
      const frame = Math.floor(i / expressions.length);
      return expressions[i % expressions.length] === answerOf(frame) ? 2 : ((i * 7) % 11) / 11;
    }),
    ...more,
  };
}

describe("a comparison of two classifiers", () => {
  it("has the figures and intervals of either evaluation", () => {
    const [before, after] = [scored(6), scored(2)];
    const compared = compareExpressions(before, after, options);
    for (const [which, scores] of [
      ["before", before],
      ["after", after],
    ] as const) {
      const report = evaluateExpressions({ ...scores, ...options });
      expect(compared.frames).toBe(report.frames);
      expect(compared.top1[which]).toEqual(report.top1);
      expect(compared.meanClassAccuracy[which]).toEqual(report.meanClassAccuracy);
      expect(compared.macroF1[which]).toEqual(report.macroF1);
      for (const [i, { recall, f1 }] of report.expressions.entries()) {
        expect(compared.expressions[i]!.recall[which]).toEqual(recall);
        expect(compared.expressions[i]!.f1[which]).toEqual(f1);
      }
    }
    for (const pair of [compared.top1, compared.meanClassAccuracy, compared.macroF1]) {
      expect(pair.change.value).toBeCloseTo(pair.after.value! - pair.before.value!, 12);
      expect(pair.change.lower).toBeGreaterThan(0);
    }
    expect(compared).toMatchObject({ subjects: 10, intervalsOver: "subjects", confidence: 0.95 });
  });

  it("counts the frames by who answers their class", () => {
    // The wrong answers of the second are among those of the first.
    const { answers, frames, top1 } = compareExpressions(scored(6), scored(2), options);
    const { bothRight, onlyBeforeRight, onlyAfterRight, bothWrong } = answers;
    expect(onlyBeforeRight).toBe(0);
    expect(bothRight / frames).toBeCloseTo(top1.before.value!, 12);
    expect((bothRight + onlyAfterRight) / frames).toBeCloseTo(top1.after.value!, 12);
    expect(bothRight + onlyAfterRight + bothWrong).toBe(frames);
    expect(compareExpressions(scored(2), scored(6), options).answers).toEqual({
      ...answers,
      onlyBeforeRight: onlyAfterRight,
      onlyAfterRight: 0,
    });
  });

  it("finds no change where there is none", () => {
    const { top1, macroF1, expressions } = compareExpressions(scored(3), scored(3), options);
    for (const { change } of [top1, macroF1, expressions[0]!.f1])
      expect(change).toEqual({ value: 0, lower: 0, upper: 0 });
    expect(top1.before.upper! - top1.before.lower!).toBeGreaterThan(0);
  });

  it("says nothing of a class that does not occur", () => {
    const { expressions } = compareExpressions(scored(6), scored(2), options);
    const nothing = { before: {}, after: {}, change: {} };
    expect(expressions[3]).toEqual({ expression: "never", recall: nothing, f1: nothing });
  });

  it("draws frames where no subject is known", () => {
    const nobody = { subjects: Array.from({ length: FRAMES }, () => "") };
    const compared = compareExpressions(scored(6, nobody), scored(2, nobody), options);
    expect(compared).toMatchObject({ subjects: 0, intervalsOver: "frames" });
    expect(compared.top1.after).toEqual(evaluateExpressions({ ...scored(2, nobody), ...options }).top1);
  });

  it("is of the frames of classes that both have, whatever their order, and another answer is wrong", () => {
    const after = scored(2, { expressions: ["neutral", "anger", "contempt"] });
    const compared = compareExpressions(scored(2), after, options);
    expect(compared.expressions.map(({ expression }) => expression)).toEqual(["anger", "neutral"]);
    expect(compared).toMatchObject({ onlyBefore: ["joy", "never"], onlyAfter: ["contempt"] });
    const { labels, expressions } = scored(2);
    const rows = [...labels.keys()].filter((row) => ["anger", "neutral"].includes(expressions[labels[row]!] ?? ""));
    expect(compared.frames).toBe(rows.length);
    // The first takes "anger" for "joy", which is no class of the second.
    const anger = rows.filter((row) => expressions[labels[row]!] === "anger");
    const right = anger.filter((row) => (row * 5) % 12 >= 2).length;
    expect(right).toBeLessThan(anger.length);
    expect(compared.expressions[0]!.recall.before.value).toBeCloseTo(right / anger.length, 12);
  });

  it("looks at no scores but those of the frames that it is of", () => {
    const logits = scored(2).logits.map((logit, i) => (i < CLASSES.length ? Number.NaN : logit));
    expect(scored(2).labels[0]).toBe(-1);
    expect(compareExpressions(scored(6), scored(2, { logits }), options)).toEqual(
      compareExpressions(scored(6), scored(2), options),
    );
  });

  it("is refused on other frames, and without a frame of a class that both have", () => {
    const { frames } = scored(1);
    const other = scored(1, { frames: frames.map((frame, i) => (i === 0 ? 0 : frame)) });
    expect(() => compareExpressions(scored(1), other, options)).toThrow(FramesDifferError);
    for (const expressions of [
      ["contempt", "awe"],
      ["never", "contempt"],
    ]) {
      const otherClasses = scored(1, { expressions });
      expect(() => compareExpressions(scored(1), otherClasses, options)).toThrow(NoSharedExpressionError);
    }
  });

  it("is read as tables, a change that is told from none in bold", () => {
    const after = scored(2, { expressions: ["anger", "neutral", "joy"] });
    const compared = compareExpressions(scored(6), after, options);
    const names = { title: "a and b", before: "a", after: "b" };
    const markdown = documentToMarkdown(expressionComparisonDocument(compared, names));
    expect(markdown).toMatch(/\| Top-1 accuracy \| 0\.\d{3} \[.*\] \| 0\.\d{3} \[.*\] \| \*\*0\.\d{3} \[.*\]\*\* \|/);
    expect(markdown).toMatch(/^Higher in the second: Top-1 accuracy, .*\. Lower: nothing\./m);
    expect(markdown).toContain(`| First wrong | ${compared.answers.onlyAfterRight} | ${compared.answers.bothWrong} |`);
    expect(markdown).toContain("In no figure, nor are their frames: of the first alone never.");
    const same = documentToMarkdown(
      expressionComparisonDocument(compareExpressions(scored(3), scored(3), options), names),
    );
    expect(same).toContain("No interval of a change excludes 0.");
    expect(same).toContain("| never: Recall | undefined | undefined | undefined |");
    expect(same).not.toContain("In no figure");
  });
});
