import { XMLParser } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import {
  type CrossValidationRun,
  crossValidate,
  crossValidationDocument,
  crossValidationReportSchema,
  documentToJunit,
  documentToMarkdown,
  evaluate,
  type FrameScores,
} from "../index.ts";
import { documentToHtml } from "../page/index.ts";
import { spreadOf } from "./spread.ts";

const options = { resamples: 80, seed: 3 };
const SUBJECTS = 8;
const FRAMES = 96;
const ACTION_UNITS = [4, 12, 45];
const FOLDS = 2;

/** The scores of the frames whose subject is in a fold, of a model that differs by its salt. AU45 is never labelled. */
function foldScores(fold: number, salt: number, threshold = 0.5): FrameScores {
  const frames = Uint32Array.from(Array.from({ length: FRAMES }, (_, i) => i).filter((i) => (i % FOLDS) + 1 === fold));
  const each = <T>(value: (frame: number, unit: number) => T): T[] =>
    Array.from(frames).flatMap((frame) => ACTION_UNITS.map((_, unit) => value(frame, unit)));
  const occurs = (frame: number, unit: number) => (unit === 2 ? -1 : (frame * 7 + unit) % 3 === 0 ? 1 : 0);
  return {
    actionUnits: ACTION_UNITS,
    thresholds: ACTION_UNITS.map(() => threshold),
    frames,
    subjects: Array.from(frames, (frame) => `s${frame % SUBJECTS}`),
    occurrence: Int8Array.from(each(occurs)),
    probabilities: Float32Array.from(
      each((frame, unit) => ((frame * 31 + unit * 17 + salt * 13) % 89) / 120 + (occurs(frame, unit) === 1 ? 0.2 : 0)),
    ),
  };
}

function run(fold: number, seed: number, salt = seed, threshold?: number): CrossValidationRun {
  const scores = foldScores(fold, salt, threshold);
  return { fold, seed, scores, report: evaluate({ ...scores, ...options }) };
}

/** The same frames as those of one evaluation. */
function together(parts: readonly FrameScores[]): FrameScores {
  const floats = parts.flatMap(({ probabilities }) => Array.from(probabilities));
  return {
    ...parts[0]!,
    frames: Uint32Array.from(parts.flatMap(({ frames }) => Array.from(frames))),
    subjects: parts.flatMap(({ subjects }) => subjects),
    probabilities: Float32Array.from(floats),
    occurrence: Int8Array.from(parts.flatMap(({ occurrence }) => Array.from(occurrence))),
  };
}

describe("the frames of all folds together", () => {
  it("have the figures and intervals of one evaluation of them, where all models have the same thresholds", () => {
    const report = crossValidate([run(1, 1), run(2, 1)], options);
    const whole = evaluate({ ...together([foldScores(1, 1), foldScores(2, 1)]), ...options });
    expect(report).toMatchObject({ frames: FRAMES, subjects: SUBJECTS, intervalsOver: "subjects" });
    expect(report.mean.f1.pooled).toEqual(whole.meanF1);
    expect(report.mean.f1Micro.pooled).toEqual(whole.f1Micro);
    expect(report.mean.auc.pooled).toEqual(whole.macroAuc);
    expect(report.mean.averagePrecision.pooled).toEqual(whole.macroAveragePrecision);
    expect(report.mean.calibrationError.pooled).toEqual(whole.meanCalibrationError);
    expect(report.mean.brierScore.pooled).toEqual(whole.meanBrierScore);
    const { threshold: _, ...sweptF1 } = whole.sweptF1;
    expect(report.mean.sweptF1.pooled).toEqual(sweptF1);
    expect(report.mean.trivialF1).toBe(whole.meanTrivialF1);
    for (const [unit, { f1, f1AtHalf, auc, frames, prevalence }] of report.actionUnits.entries()) {
      const expected = whole.actionUnits[unit]!;
      expect({ frames, prevalence }).toEqual({ frames: expected.frames, prevalence: expected.prevalence });
      expect([f1.pooled, f1AtHalf.pooled, auc.pooled]).toEqual([expected.f1, expected.f1AtHalf, expected.auc]);
      expect(report.actionUnits[unit]!.sweptF1.pooled).toEqual(expected.sweptF1);
    }
    expect(report.actionUnits[2]!.auc.pooled).toEqual({});
  });

  it("are decided on at the thresholds of the model that held them out", () => {
    const runs = [run(1, 1, 1, 0.3), run(2, 1, 1, 0.7)];
    const { pooled } = crossValidate(runs, options).actionUnits[0]!.f1;
    let [hits, errors] = [0, 0];
    for (const [i, threshold] of [0.3, 0.7].entries()) {
      const { probabilities, occurrence, frames } = runs[i]!.scores;
      for (let frame = 0; frame < frames.length; frame++) {
        const [isFound, label] = [probabilities[frame * 3]! >= Math.fround(threshold), occurrence[frame * 3] === 1];
        if (isFound && label) hits++;
        else if (isFound !== label) errors++;
      }
    }
    expect(pooled.value).toBeCloseTo((2 * hits) / (2 * hits + errors), 12);
    expect(crossValidate([run(1, 1, 1), run(2, 1, 1)], options).actionUnits[0]!.f1.pooled.value).not.toBe(pooled.value);
  });

  it("count as the mean of the seeds, over the same subjects", () => {
    const [one, two] = [1, 2].map((seed) => crossValidate([run(1, seed), run(2, seed)], options));
    const both = crossValidate([run(1, 1), run(2, 1), run(2, 2), run(1, 2)], options);
    for (const name of ["f1", "auc", "brierScore", "sweptF1"] as const) {
      const expected = (one!.mean[name].pooled.value! + two!.mean[name].pooled.value!) / 2;
      expect(both.mean[name].pooled.value).toBeCloseTo(expected, 12);
    }
    expect(both).toMatchObject({ folds: 2, seeds: [1, 2], frames: FRAMES });
    expect(both.runs.map(({ fold, seed }) => [fold, seed])).toEqual([
      [1, 1],
      [2, 1],
      [1, 2],
      [2, 2],
    ]);
    // A seed that says the same adds nothing.
    const same = crossValidate([run(1, 1), run(2, 1), run(1, 7, 1), run(2, 7, 1)], options);
    expect(same.mean.auc.pooled).toEqual(one!.mean.auc.pooled);
    expect(same.mean.auc.seedDeviation).toBe(0);
  });
});

describe("the spread of a figure", () => {
  it("is told over folds and over seeds", () => {
    const spread = spreadOf([
      [0.2, 0.4, 0.6],
      [0.4, 0.8, 0.6],
    ]);
    expect(spread.mean).toBeCloseTo(0.5, 12);
    // Folds: 0.3, 0.6, 0.6; seeds: 0.4, 0.6.
    expect(spread.foldDeviation).toBeCloseTo(Math.sqrt(0.03), 12);
    expect(spread.seedDeviation).toBeCloseTo(Math.sqrt(0.02), 12);
  });

  it("leaves out what is undefined, and is none of one alone", () => {
    expect(spreadOf([[0.2, undefined, 0.6]])).toEqual({
      mean: 0.4,
      foldDeviation: expect.closeTo(Math.sqrt(0.08), 12),
    });
    expect(spreadOf([[0.2], [undefined]])).toEqual({ mean: 0.2 });
    expect(spreadOf([[undefined]])).toEqual({});
  });

  it("of a run is that of its own report, its swept F1 by action unit at the threshold of the report", () => {
    const runs = [run(1, 1), run(2, 1)];
    const report = crossValidate(runs, options);
    for (const [i, { mean, actionUnits, sweptThreshold }] of report.runs.entries()) {
      const own = runs[i]!.report;
      expect([mean.f1, mean.auc, mean.sweptF1]).toEqual([own.meanF1.value, own.macroAuc.value, own.sweptF1.value]);
      expect(sweptThreshold).toBe(own.sweptF1.threshold);
      const swept = actionUnits.map(({ sweptF1 }) => sweptF1!);
      expect(swept.reduce((sum, value) => sum + value, 0) / swept.length).toBeCloseTo(own.sweptF1.value, 12);
    }
    const [first, second] = report.runs.map(({ mean }) => mean.auc!);
    expect(report.mean.auc.mean).toBeCloseTo((first! + second!) / 2, 12);
    expect(report.mean.auc.foldDeviation).toBeCloseTo(Math.abs(first! - second!) / Math.SQRT2, 12);
    expect(report.mean.auc).not.toHaveProperty("seedDeviation");
  });
});

describe("a cross-validation", () => {
  it("is refused when a run is missing or twice, when runs overlap, or are of other action units", () => {
    const refused = (...runs: CrossValidationRun[]) => expect(() => crossValidate(runs, options));
    refused().toThrow("Expected at least one run");
    refused(run(1, 1), run(2, 1), run(1, 2)).toThrow("Expected one run of fold 2 with seed 2, got 0");
    refused(run(1, 1), run(1, 1), run(2, 1)).toThrow("Expected one run of fold 1 with seed 1, got 2");
    refused(run(1, 1), { ...run(1, 1), fold: 2 }).toThrow("frame 0 is in two");
    const others = { ...run(2, 1), scores: { ...foldScores(2, 1), actionUnits: [4, 12, 43] } };
    refused(run(1, 1), others).toThrow("fold 2 with seed 1 has others");
  });

  it("is read back from JSON, and told as Markdown, a page and JUnit XML", async () => {
    const report = crossValidate([run(1, 1), run(2, 1), run(1, 2), run(2, 2)], options);
    expect(crossValidationReportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
    const document = crossValidationDocument(report, "Cross-validation of <b>");
    const markdown = documentToMarkdown(document);
    expect(markdown).toContain(
      "2 folds with seeds 1, 2: 4 trainings. 96 frames of 8 subjects, each held out once a seed.",
    );
    const { mean } = report;
    expect(markdown).toContain(
      `| ${mean.auc.mean!.toFixed(3)} ± ${mean.auc.foldDeviation!.toFixed(3)} (± ${mean.auc.seedDeviation!.toFixed(3)}) |`,
    );
    expect(markdown).toMatch(/\n\| 2, 2 \| 4 \| 48 \| 0\.\d{3} \|/);
    const page = await documentToHtml(document);
    const charts = page.match(/<svg.*?<\/svg>/gs)!;
    expect(charts).toHaveLength(2);
    // A tick a run, of what is defined: F1 of three action units, AUC and PR-AUC of two.
    expect(charts[1]!.match(/aria-roledescription="tick"/g)).toHaveLength(4 * (3 + 2 + 2));
    expect(page).toContain("<h1>Cross-validation of &lt;b&gt;</h1>");
    const xml = documentToJunit(document);
    const { testsuite } = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" }).parse(xml).testsuites;
    expect(testsuite.testcase.map(({ name }: { name: string }) => name)).toEqual(["AU4", "AU12", "AU45"]);
    expect(testsuite.testcase[0]["system-out"]).toMatch(/^F1: 0\.\d{3} \[/);
  });
});
