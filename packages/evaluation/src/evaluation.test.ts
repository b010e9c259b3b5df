import { createRandom } from "@duchenne/data";
import { describe, expect, it } from "vitest";
import { type EvaluationInput, evaluate, evaluationReportSchema, reportToMarkdown } from "./index.ts";

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
    expect(evaluate(input()).sweptF1).toEqual({ threshold: 0.21, value: 0.8 });
    const nothing = evaluate(input({ probabilities: new Float32Array(4).fill(0.3) }));
    expect(nothing.sweptF1.value).toBeCloseTo(nothing.meanTrivialF1, 12);
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
    for (const { value, lower, upper } of [few, many]) {
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

describe("reportToMarkdown", () => {
  it("is one table with means", () => {
    expect(reportToMarkdown(evaluate(input({ subjects: ["a", "a", "a", "a"] })), "Report")).toMatchInlineSnapshot(`
      "# Report

      4 frames of 1 subjects. Intervals: 95 %, bootstrap over subjects (200 resamples, seed 1).

      | Action unit | Prevalence | F1 | F1 of always present | AUC | Threshold |
      |---|---:|---:|---:|---:|---:|
      | AU12 Lip corner puller | 50.0 % | 0.500 | 0.667 | 0.750 | 0.50 |
      | **Mean** |  | 0.500 | 0.667 | 0.750 |  |

      F1 with the threshold swept on these frames (as published; optimistic): 0.800 at 0.21.
      "
    `);
  });
});
