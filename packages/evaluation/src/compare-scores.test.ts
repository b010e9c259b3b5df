import { describe, expect, it } from "vitest";
import {
  compareScores,
  comparisonDocument,
  documentToMarkdown,
  evaluate,
  type FrameScores,
  FramesDifferError,
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

  it("is refused on other frames, also as many", () => {
    const { frames } = scored(0.1);
    const other = scored(0.1, { frames: frames.map((frame, i) => (i === 0 ? 0 : frame)) });
    expect(() => compareScores(scored(0.1), other, options)).toThrow(FramesDifferError);
    expect(() => compareScores(scored(0.1), other, options)).toThrow("60 frames and 60, of which 59 are common");
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
    const same = documentToMarkdown(comparisonDocument(compareScores(scored(0.1), scored(0.1), options), head));
    expect(same).toContain("| 0.000 [0.000, 0.000] |");
    expect(same).toContain("| AU26 Jaw drop: F1 | undefined | undefined | undefined |");
  });
});
