import { describe, expect, it } from "vitest";
import {
  compareScores,
  comparisonDocument,
  documentToMarkdown,
  evaluate,
  type FrameScores,
  NoCommonFrameError,
  NoSharedActionUnitError,
} from "./index.ts";

const options = { resamples: 300, seed: 5 };
const FRAMES = 60;

/** Scores whose labels are the same for every model; a better one scores nearer to them. AU26 never occurs. */
function scored(quality: number, more: Partial<FrameScores> = {}): FrameScores {
  const actionUnits = more.actionUnits ?? [1, 12, 26];
  const each = <T>(value: (frame: number, actionUnit: number) => T) =>
    Array.from({ length: FRAMES }, (_, frame) => actionUnits.map((unit) => value(frame, unit))).flat();
  const label = (frame: number, unit: number) => (unit === 26 ? 0 : (frame * 5 + unit) % 3 === 0 ? 1 : 0);
  return {
    actionUnits,
    thresholds: actionUnits.map((_, i) => 0.4 + i / 20),
    frames: Uint32Array.from({ length: FRAMES }, (_, i) => i + 10),
    subjects: Array.from({ length: FRAMES }, (_, i) => `s${i % 12}`),
    probabilities: Float32Array.from(
      each((frame, unit) => quality * label(frame, unit) + (1 - quality) * (((frame * 37 + unit) % 61) / 61)),
    ),
    occurrence: Int8Array.from(each((frame, unit) => (frame % 7 === 0 ? -1 : label(frame, unit)))),
    ...more,
  };
}

const rowsBetween = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** What an evaluation on some of the frames alone would have kept. */
function rowsOf(scores: FrameScores, rows: readonly number[]): FrameScores {
  const each = <T>(values: ArrayLike<T>) =>
    rows.flatMap((row) => scores.actionUnits.map((_, unit) => values[row * scores.actionUnits.length + unit]!));
  return {
    ...scores,
    frames: Uint32Array.from(rows, (row) => scores.frames[row]!),
    subjects: rows.map((row) => scores.subjects[row]!),
    probabilities: Float32Array.from(each(scores.probabilities)),
    occurrence: Int8Array.from(each(scores.occurrence)),
  };
}

describe("a comparison of two evaluations", () => {
  it("has the figures and intervals of either evaluation", () => {
    const [before, after] = [scored(0.1), scored(0.3)];
    const compared = compareScores(before, after, options);
    for (const [which, scores] of [
      ["before", before],
      ["after", after],
    ] as const) {
      const report = evaluate({ ...scores, ...options });
      expect(compared.macroAuc[which]).toEqual(report.macroAuc);
      expect(compared.meanF1[which]).toEqual(report.meanF1);
      for (const [i, { auc, f1 }] of report.actionUnits.slice(0, 2).entries()) {
        expect(compared.actionUnits[i]!.auc[which]).toEqual(auc);
        expect(compared.actionUnits[i]!.f1[which]).toEqual(f1);
      }
    }
    expect(compared.macroAuc.change.lower).toBeGreaterThan(0);
    expect(compared).toMatchObject({ frames: FRAMES, subjects: 12, intervalsOver: "subjects", confidence: 0.95 });
  });

  it("says nothing of an action unit that does not occur", () => {
    const [, , never] = compareScores(scored(0.1), scored(0.3), options).actionUnits;
    const nothing = { before: {}, after: {}, change: {} };
    expect(never).toEqual({ actionUnit: 26, f1: nothing, auc: nothing });
  });

  it("is of the action units that both have, whatever their order", () => {
    const after = scored(0.3, { actionUnits: [12, 4, 1] });
    const compared = compareScores(scored(0.1), after, options);
    expect(compared.actionUnits.map(({ actionUnit }) => actionUnit)).toEqual([1, 12]);
    expect(compared).toMatchObject({ onlyBefore: [26], onlyAfter: [4] });
    const alone = compareScores(scored(0.1), scored(0.3), options);
    expect(compared.actionUnits[1]!.auc).toEqual(alone.actionUnits[1]!.auc);
    expect(() => compareScores(scored(0.1), scored(0.1, { actionUnits: [4] }), options)).toThrow(
      NoSharedActionUnitError,
    );
  });

  it("is on the frames that both have, wherever they stand, as of evaluations that have no others", () => {
    const [first, second] = [rowsBetween(0, 40), rowsBetween(15, 60).reverse()];
    const both = rowsBetween(15, 40);
    const compared = compareScores(rowsOf(scored(0.1), first), rowsOf(scored(0.3), second), options);
    const cut = compareScores(rowsOf(scored(0.1), both), rowsOf(scored(0.3), both), options);
    expect(compared).toEqual({ ...cut, framesOnlyBefore: 15, framesOnlyAfter: 20 });
    expect(cut).toMatchObject({ frames: 25, framesOnlyBefore: 0, framesOnlyAfter: 0, subjects: 12 });
    expect(cut.macroAuc.after).toEqual(evaluate({ ...rowsOf(scored(0.3), both), ...options }).macroAuc);
    expect(cut.macroAuc.after).not.toEqual(evaluate({ ...rowsOf(scored(0.3), second), ...options }).macroAuc);
  });

  it("is on the frames that both have of the action units that both have", () => {
    const units = { actionUnits: [12, 4, 1] };
    const both = rowsBetween(30, 50);
    const [before, after] = [rowsOf(scored(0.1), rowsBetween(0, 50)), rowsOf(scored(0.3, units), rowsBetween(30, 60))];
    const cut = compareScores(rowsOf(scored(0.1), both), rowsOf(scored(0.3, units), both), options);
    expect(cut.onlyAfter).toEqual([4]);
    expect(compareScores(before, after, options)).toEqual({ ...cut, framesOnlyBefore: 30, framesOnlyAfter: 10 });
  });

  it("has no intervals when the frames that both have are of one subject", () => {
    const subjects = Array.from({ length: FRAMES }, (_, i) => `s${i % 10}`);
    const of = (quality: number, own: readonly number[]) =>
      rowsOf(
        scored(quality, { subjects }),
        rowsBetween(0, FRAMES).filter((row) => own.includes(row % 10)),
      );
    const compared = compareScores(of(0.1, [3, 5, 7]), of(0.3, [1, 2, 5, 8]), options);
    expect(compared).toMatchObject({ frames: 6, framesOnlyBefore: 12, framesOnlyAfter: 18, subjects: 1 });
    expect(Object.keys(compared.macroAuc.change)).toEqual(["value"]);
  });

  it("is refused without a frame that both have, and says what to do", () => {
    const [before, after] = [rowsOf(scored(0.1), rowsBetween(0, 20)), rowsOf(scored(0.1), rowsBetween(20, 60))];
    expect(() => compareScores(before, after, options)).toThrow(NoCommonFrameError);
    expect(() => compareScores(before, after, options)).toThrow(
      "got none (the first has 20 frames, the second 40). Evaluate both on all frames of a data set that neither has seen",
    );
  });

  it("has wider intervals when they are to hold more", () => {
    const width = (confidence: number) => {
      const { change } = compareScores(scored(0.1), scored(0.3), { ...options, confidence }).macroAuc;
      return change.upper! - change.lower!;
    };
    expect(width(0.99)).toBeGreaterThan(width(0.95));
    expect(width(0.95)).toBeGreaterThan(width(0.8));
    expect(compareScores(scored(0.1), scored(0.3), { ...options, confidence: 0.95 })).toEqual(
      compareScores(scored(0.1), scored(0.3), options),
    );
  });

  it("is read as a table, a change that is told from none in bold", () => {
    const compared = compareScores(scored(0.1), scored(0.3, { actionUnits: [1, 12, 4] }), options);
    const head = { title: "a and b", before: "a", after: "b" };
    const markdown = documentToMarkdown(comparisonDocument(compared, head));
    expect(markdown).toMatch(/\| Macro AUC \| 0\.\d{3} \[.*\] \| 0\.\d{3} \[.*\] \| \*\*0\.\d{3} \[.*\]\*\* \|/);
    expect(markdown).toContain("| AU1 Inner brow raiser: AUC |");
    expect(markdown).toContain("In no figure: of the first alone AU 26; of the second alone AU 4.");
    expect(markdown).toContain("60 frames of 12 subjects, the same for both. Intervals: 95 %, ");
    const same = documentToMarkdown(comparisonDocument(compareScores(scored(0.1), scored(0.1), options), head));
    expect(same).toContain("| 0.000 [0.000, 0.000] |");
    expect(same).toContain("| AU26 Jaw drop: F1 | undefined | undefined | undefined |");
  });

  it("says which frames it is on when these are not all of both", () => {
    const wordsOf = (first: readonly number[], second: readonly number[]) => {
      const compared = compareScores(rowsOf(scored(0.1), first), rowsOf(scored(0.3), second), options);
      return documentToMarkdown(comparisonDocument(compared, { title: "a and b", before: "a", after: "b" }));
    };
    expect(wordsOf(rowsBetween(0, 40), rowsBetween(15, 60))).toContain(
      "25 frames of 12 subjects, which both trainings held out. Held out by one alone and in no figure: 15 of the first, 20 of the second. Figures may therefore differ from those of the reports. Intervals: ",
    );
    expect(wordsOf(rowsBetween(0, 40), rowsBetween(1, 13))).toContain("in no figure: 28 of the first. Figures may ");
    expect(wordsOf([4, 16], [4, 16, 20])).toContain("2 frames of 1 subject, which both trainings held out. ");
  });
});
