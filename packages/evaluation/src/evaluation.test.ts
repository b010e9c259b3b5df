import { createRandom } from "@duchenne/data";
import { describe, expect, it } from "vitest";
import {
  detectorDocument,
  documentToMarkdown,
  type EvaluationInput,
  evaluate,
  evaluationReportSchema,
} from "./index.ts";

function input(changes: Partial<EvaluationInput> = {}): EvaluationInput {
  return {
    actionUnits: [12],
    probabilities: Float32Array.of(0.9, 0.5, 0.4, 0.2),
    occurrence: Int8Array.of(1, 0, 1, 0),
    subjects: ["a", "a", "b", "b"],
    thresholds: [0.5],
    seed: 1,
    resamples: 200,
    ...changes,
  };
}

describe("evaluate", () => {
  it("computes F1 at the threshold, AUC, prevalence and the trivial F1", () => {
    const report = evaluate(input());
    const unit = report.actionUnits[0]!;
    // 0.9 is found, 0.5 counts as present (>=) and is wrong, 0.4 is missed.
    expect(unit.f1.value).toBeCloseTo(0.5, 12);
    expect(unit.auc.value).toBeCloseTo(3 / 4, 12);
    expect(unit).toMatchObject({ prevalence: 0.5, frames: 4 });
    expect(unit.trivialF1).toBeCloseTo(2 / 3, 12);
    expect(evaluationReportSchema.parse(report)).toEqual(report);
  });

  it("counts a tie as half in the AUC", () => {
    const report = evaluate(input({ probabilities: new Float32Array(4).fill(0.3) }));
    expect(report.actionUnits[0]!.auc.value).toBe(0.5);
  });

  it("tells decisions at the threshold from those at 0.5, and counts both kinds of error", () => {
    const { actionUnits, f1Micro, meanF1AtHalf } = evaluate(
      input({ thresholds: [0.3], thresholdOrigins: ["validation"] }),
    );
    // From 0.3 on 0.9 and 0.4 are found, 0.5 is found wrongly: F1 = 4 / 5. From 0.5 on it is 1 / 2.
    expect(actionUnits[0]).toMatchObject({
      thresholdOrigin: "validation",
      f1: { value: 0.8 },
      f1AtHalf: { value: 0.5 },
      confusion: { truePositives: 2, falsePositives: 1, falseNegatives: 0, trueNegatives: 1 },
    });
    expect(f1Micro.value).toBe(0.8);
    expect(meanF1AtHalf.value).toBe(0.5);
  });

  it("pools decisions in F1-micro, where the mean weighs action units alike", () => {
    const report = evaluate(
      input({
        actionUnits: [12, 4],
        thresholds: [0.5, 0.5],
        probabilities: Float32Array.of(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1),
        occurrence: Int8Array.of(1, 0, 1, 0, 1, 1, 0, 0),
      }),
    );
    // 3 of 3 and 1 of 3 found rightly: F1 = 1 and 1 / 2; together 4 right and 2 wrong.
    expect(report.meanF1.value).toBe(0.75);
    expect(report.f1Micro.value).toBeCloseTo(8 / 10, 12);
  });

  it("bins probabilities beside what occurs", () => {
    const unit = evaluate(input({ probabilities: Float32Array.of(0.875, 0.5, 0.4375, 0) })).actionUnits[0]!;
    expect(unit.calibrationBins).toEqual([
      { lower: 0, upper: 0.1, frames: 1, meanProbability: 0, occurring: 0 },
      { lower: 0.4, upper: 0.5, frames: 2, meanProbability: 0.46875, occurring: 0.5 },
      { lower: 0.8, upper: 0.9, frames: 1, meanProbability: 0.875, occurring: 1 },
    ]);
    expect(unit.calibrationError.value).toBeCloseTo((0 + 2 * 0.03125 + 0.125) / 4, 12);
    expect(unit.brierScore.value).toBeCloseTo((0.125 ** 2 + 0.5 ** 2 + 0.5625 ** 2) / 4, 12);
  });

  it("is calibrated when what it calls probable occurs as often", () => {
    const random = createRandom(["calibration-test"]);
    const frames = 20_000;
    const probabilities = Float32Array.from({ length: frames }, () => random.uniform());
    const report = (occurs: (probability: number) => number) =>
      evaluate(
        input({
          probabilities,
          occurrence: Int8Array.from(probabilities, (each) => (random.uniform() < occurs(each) ? 1 : 0)),
          subjects: Array.from({ length: frames }, (_, i) => `s${i % 40}`),
          resamples: 20,
        }),
      ).actionUnits[0]!;
    // Each bin has 2000 frames: the share that occurs is within about 0.01 of the truth.
    const calibrated = report((probability) => probability);
    expect(calibrated.calibrationError.value!).toBeLessThan(0.02);
    // The mean of p (1 - p) for p uniform is 1/6.
    expect(calibrated.brierScore.value).toBeCloseTo(1 / 6, 2);
    const { calibrationError } = report(() => 0.5);
    expect(calibrationError.value).toBeCloseTo(0.25, 2);
    expect(calibrationError.lower!).toBeLessThan(calibrationError.value!);
    expect(calibrationError.upper!).toBeGreaterThan(calibrationError.value!);
  });

  it("has no average precision without positives, and the prevalence when nothing is ranked", () => {
    const none = evaluate(input({ occurrence: Int8Array.of(0, 0, 0, 0) }));
    expect(none.actionUnits[0]!.averagePrecision).toEqual({});
    expect(none.macroAveragePrecision).toEqual({});
    const tied = { probabilities: new Float32Array(4).fill(0.3), occurrence: Int8Array.of(1, 0, 0, 0) };
    expect(evaluate(input(tied)).actionUnits[0]!.averagePrecision.value).toBe(0.25);
  });

  it("reads reports of earlier releases, which lack figures", () => {
    const { f1Micro, meanF1AtHalf, macroAveragePrecision, meanCalibrationError, meanBrierScore, ...report } = evaluate(
      input(),
    );
    const actionUnits = report.actionUnits.map(({ actionUnit, frames, prevalence, threshold, f1, trivialF1, auc }) => ({
      ...{ actionUnit, frames, prevalence, threshold, f1, trivialF1, auc },
    }));
    const earlier = evaluationReportSchema.parse({ ...report, actionUnits });
    expect(earlier.f1Micro).toEqual({});
    expect(earlier.actionUnits[0]!.sweptF1).toEqual({});
    expect(documentToMarkdown(detectorDocument(earlier, "Earlier"))).toContain("| **Mean** |");
  });

  it("leaves unknown labels out", () => {
    const report = evaluate(input({ occurrence: Int8Array.of(1, -1, 1, 0) }));
    expect(report.actionUnits[0]).toMatchObject({ frames: 3, auc: { value: 1 } });
    expect(report.actionUnits[0]!.f1.value).toBeCloseTo(2 / 3, 12);
  });

  it("counts an action unit that never occurs as F1 = 0 in the mean, and not at all in the AUC", () => {
    const report = evaluate(
      input({
        actionUnits: [12, 4],
        thresholds: [0.5, 0.5],
        probabilities: Float32Array.of(0.9, 0.1, 0.1, 0.1, 0.8, 0.1, 0.2, 0.1),
        occurrence: Int8Array.of(1, 0, 0, 0, 1, 0, 0, 0),
      }),
    );
    expect(report.meanF1.value).toBe(0.5);
    expect(report.actionUnits[1]!.auc).toEqual({});
    expect(report.macroAuc.value).toBe(1);
  });

  it("sweeps one threshold for all action units, and names it", () => {
    // At 0.21 to 0.40 three of four are called present, two rightly: F1 = 4 / 5.
    expect(evaluate(input()).sweptF1).toMatchObject({ threshold: 0.21, value: 0.8 });
    const nothing = evaluate(input({ probabilities: new Float32Array(4).fill(0.3) }));
    expect(nothing.sweptF1.value).toBeCloseTo(nothing.meanTrivialF1, 12);
  });

  it("tells the swept F1 of each action unit at the shared threshold, and its mean, with intervals", () => {
    const random = createRandom(["swept-test"]);
    const frames = 240;
    const occurrence = Int8Array.from({ length: 2 * frames }, (_, i) =>
      random.uniform() < [0.2, 0.6][i % 2]! ? 1 : 0,
    );
    const report = evaluate(
      input({
        actionUnits: [12, 4],
        thresholds: [0.5, 0.5],
        occurrence,
        probabilities: Float32Array.from(occurrence, (label) => 0.4 * label + 0.6 * random.uniform()),
        subjects: Array.from({ length: frames }, (_, i) => `s${i % 12}`),
      }),
    );
    const { value, lower, upper } = report.sweptF1;
    expect(lower!).toBeLessThan(value);
    expect(upper!).toBeGreaterThan(value);
    const units = report.actionUnits.map(({ sweptF1 }) => sweptF1);
    expect((units[0]!.value! + units[1]!.value!) / 2).toBeCloseTo(value, 12);
    for (const unit of units) expect(unit.upper!).toBeGreaterThan(unit.lower!);
    expect(evaluate(input({ subjects: ["a", "a", "a", "a"] })).sweptF1).toEqual({ threshold: 0.21, value: 0.8 });
  });

  it("has intervals that hold the value, shrink with more subjects and repeat with the seed", () => {
    const sample = (subjects: number) => {
      const random = createRandom([subjects, "evaluation-test"]);
      const frames = subjects * 10;
      const occurrence = Int8Array.from({ length: frames }, () => (random.uniform() < 0.4 ? 1 : 0));
      return evaluate(
        input({
          occurrence,
          probabilities: Float32Array.from(occurrence, (label) => 0.3 * label + 0.7 * random.uniform()),
          subjects: Array.from({ length: frames }, (_, i) => `s${Math.floor(i / 10)}`),
        }),
      );
    };
    const few = sample(5).meanF1;
    const many = sample(80).meanF1;
    for (const { value, lower, upper } of [few, many, sample(5).f1Micro, sample(5).macroAveragePrecision]) {
      expect(lower!).toBeLessThan(value!);
      expect(upper!).toBeGreaterThan(value!);
    }
    expect(many.upper! - many.lower!).toBeLessThan((few.upper! - few.lower!) / 2);
    expect(sample(5)).toEqual(sample(5));
  });

  it("has no interval for a single subject", () => {
    expect(evaluate(input({ subjects: ["a", "a", "a", "a"] })).meanF1).toEqual({ value: 0.5 });
  });

  it("draws frames where no subject is known, and measures no identity leakage there", () => {
    const features = Float32Array.of(0, 1, 2, 3);
    const report = evaluate(input({ subjects: ["", "", "", ""], features }));
    expect(report).toMatchObject({ frames: 4, subjects: 0, intervalsOver: "frames" });
    expect(report.meanF1.lower!).toBeLessThan(report.meanF1.value!);
    expect(report).not.toHaveProperty("identityLeakage");
  });

  it("refuses arrays that do not fit", () => {
    expect(() => evaluate(input({ probabilities: new Float32Array(3) }))).toThrow("Expected 4 probabilities, got 3");
  });
});

describe("identity leakage", () => {
  const measure = (carry: number) => {
    const random = createRandom(["leakage-test"]);
    const subjects = 8;
    const frames = subjects * 40;
    const dim = 12;
    const codes = Array.from({ length: subjects * dim }, () => random.normal());
    const names = Array.from({ length: frames }, (_, i) => `s${i % subjects}`);
    const features = Float32Array.from({ length: frames * dim }, (_, i) => {
      const frame = Math.floor(i / dim);
      return carry * codes[(frame % subjects) * dim + (i % dim)]! + random.normal();
    });
    return evaluate(
      input({
        occurrence: Int8Array.from({ length: frames }, (_, i) => (i % 3 === 0 ? 1 : 0)),
        probabilities: new Float32Array(frames),
        subjects: names,
        features,
      }),
    ).identityLeakage!;
  };

  it("is at chance when the features do not know the subject", () => {
    const { accuracy, chance, trainFrames, testFrames } = measure(0);
    expect(chance).toBe(1 / 8);
    expect(trainFrames + testFrames).toBe(320);
    expect(accuracy.lower!).toBeLessThan(chance);
    expect(accuracy.upper!).toBeGreaterThan(chance);
  });

  it("counts only subjects that it is tested on in its chance level", () => {
    // Of the third there is one frame to learn from, and none to be tested on.
    const subjects = ["a", "a", "b", "b", "c"];
    const leakage = evaluate(
      input({
        probabilities: new Float32Array(5),
        occurrence: Int8Array.of(1, 0, 1, 0, 1),
        subjects,
        features: Float32Array.of(1, 1.1, -1, -1.1, 0),
      }),
    ).identityLeakage!;
    expect(leakage).toMatchObject({ chance: 1 / 2, subjects: 2, trainFrames: 3, testFrames: 2 });
  });

  it("rises with what the features tell", () => {
    const [some, much] = [measure(0.5).accuracy.value!, measure(2).accuracy.value!];
    expect(some).toBeGreaterThan(0.3);
    expect(much).toBeGreaterThan(0.95);
  });
});

describe("a detector's report in Markdown", () => {
  it("is tables with means", () => {
    const document = detectorDocument(evaluate(input({ subjects: ["a", "a", "a", "a"] })), "Report");
    expect(documentToMarkdown(document)).toMatchInlineSnapshot(`
      "# Report

      4 frames of 1 subjects. Intervals: 95 %, bootstrap over subjects (200 resamples, seed 1).

      Decisions at the thresholds (found rightly, found wrongly, missed, rightly not found):

      | Action unit | Threshold | F1 | F1 at 0.5 | F1, swept | F1 of always present | TP | FP | FN | TN |
      |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
      | AU12 Lip corner puller | 0.50 | 0.500 | 0.500 | 0.800 | 0.667 | 1 | 1 | 1 | 1 |
      | **Mean** |  | 0.500 | 0.500 | 0.800 | 0.667 |  |  |  |  |
      | **All together (micro)** |  | 0.500 |  |  |  | 1 | 1 | 1 | 1 |

      F1, swept: with one threshold for all action units, chosen on these very frames (as published; optimistic): 0.800 at 0.21. Its intervals choose anew in every resample.

      Scores (PR-AUC: average precision, by chance the prevalence; calibration error over 10 bins of equal width):

      | Action unit | Frames | Prevalence | AUC | PR-AUC | Calibration error | Brier score |
      |---|---:|---:|---:|---:|---:|---:|
      | AU12 Lip corner puller | 4 | 50.0 % | 0.750 | 0.833 | 0.100 | 0.165 |
      | **Mean** |  | 50.0 % | 0.750 | 0.833 | 0.100 | 0.165 |
      "
    `);
  });
});
