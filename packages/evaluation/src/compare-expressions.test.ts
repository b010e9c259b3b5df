import { describe, expect, it } from "vitest";
import {
  compareExpressions,
  documentToMarkdown,
  type ExpressionScores,
  evaluateExpressions,
  expressionComparisonDocument,
  NoCommonFrameError,
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

const rowsBetween = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** What an evaluation on some of the frames alone would have kept. */
function rowsOf(scores: ExpressionScores, rows: readonly number[]): ExpressionScores {
  const width = scores.expressions.length;
  return {
    ...scores,
    frames: Uint32Array.from(rows, (row) => scores.frames[row]!),
    subjects: rows.map((row) => scores.subjects[row]!),
    labels: Int32Array.from(rows, (row) => scores.labels[row]!),
    logits: Float32Array.from(rows.flatMap((row) => [...scores.logits.subarray(row * width, (row + 1) * width)])),
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

  it("is on the frames that both have, wherever they stand, as of evaluations that have no others", () => {
    const [first, second] = [rowsBetween(0, 40), rowsBetween(15, 60).reverse()];
    const both = rowsBetween(15, 40);
    const compared = compareExpressions(rowsOf(scored(6), first), rowsOf(scored(2), second), options);
    const cut = compareExpressions(rowsOf(scored(6), both), rowsOf(scored(2), both), options);
    // Of an unknown class are frames 0, 15, 30 and 45.
    expect(compared).toEqual({ ...cut, framesOnlyBefore: 14, framesOnlyAfter: 19 });
    expect(cut).toMatchObject({ frames: 23, framesOnlyBefore: 0, framesOnlyAfter: 0, subjects: 10 });
    expect(cut.top1.after).toEqual(evaluateExpressions({ ...rowsOf(scored(2), both), ...options }).top1);
    expect(cut.top1.after).not.toEqual(evaluateExpressions({ ...rowsOf(scored(2), second), ...options }).top1);
  });

  it("counts of the frames of one alone those of classes that both have", () => {
    const classes = { expressions: ["neutral", "anger", "contempt"] };
    const both = rowsBetween(30, 50);
    const [before, after] = [rowsOf(scored(2), rowsBetween(0, 50)), rowsOf(scored(2, classes), rowsBetween(30, 60))];
    const cut = compareExpressions(rowsOf(scored(2), both), rowsOf(scored(2, classes), both), options);
    const ofShared = (rows: readonly number[]) => rows.filter((row) => row % 3 !== 1 && row % 15 !== 0).length;
    expect(cut.frames).toBe(ofShared(both));
    expect(compareExpressions(before, after, options)).toEqual({
      ...cut,
      framesOnlyBefore: ofShared(rowsBetween(0, 30)),
      framesOnlyAfter: ofShared(rowsBetween(50, 60)),
    });
  });

  it("is refused without a frame that both have, and without one of a class that both have", () => {
    const disjoint = [rowsOf(scored(1), rowsBetween(0, 20)), rowsOf(scored(1), rowsBetween(20, 60))] as const;
    expect(() => compareExpressions(...disjoint, options)).toThrow(NoCommonFrameError);
    for (const expressions of [
      ["contempt", "awe"],
      ["never", "contempt"],
    ]) {
      const otherClasses = scored(1, { expressions });
      expect(() => compareExpressions(scored(1), otherClasses, options)).toThrow(NoSharedExpressionError);
    }
    // Frames 1 and 4, which both have, are of "joy", which the second does not know.
    const [first, second] = [rowsOf(scored(1), [1, 2, 4]), rowsOf(scored(1, { expressions: ["anger"] }), [1, 3, 4])];
    expect(() => compareExpressions(first, second, options)).toThrow(NoCommonFrameError);
    expect(() => compareExpressions(first, second, options)).toThrow("Expected frames of anger that both evaluations");
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
    const apart = compareExpressions(rowsOf(scored(6), rowsBetween(0, 40)), rowsOf(scored(2), [3, 4, 13, 59]), options);
    expect(documentToMarkdown(expressionComparisonDocument(apart, names))).toContain(
      "3 frames of 2 subjects, which both trainings held out. Held out by one alone and in no figure: 34 of the first, 1 of the second. ",
    );
    const same = documentToMarkdown(
      expressionComparisonDocument(compareExpressions(scored(3), scored(3), options), names),
    );
    expect(same).toContain("No interval of a change excludes 0.");
    expect(same).toContain("| never: Recall | undefined | undefined | undefined |");
    expect(same).not.toContain("In no figure");
  });
});
