import { readFileSync } from "node:fs";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import type { PairedComparison } from "../compare-paired.ts";
import {
  compareExpressions,
  compareScores,
  type Estimate,
  type ExpressionComparison,
  type ExpressionScores,
  evaluate,
  evaluateExpressions,
  type FrameScores,
  type ScoreComparison,
} from "../index.ts";
import { gateJunit, gateMarkdown, InvalidGateError, judgeGate, parseGate } from "./index.ts";

const options = { resamples: 100, seed: 1 };
const scores = {
  actionUnits: [1, 12],
  thresholds: [0.5, 0.5],
  frames: Uint32Array.from({ length: 40 }, (_, i) => i),
  subjects: Array.from({ length: 40 }, (_, i) => `s${i % 8}`),
  probabilities: Float32Array.from({ length: 80 }, (_, i) => ((i * 37) % 79) / 79),
  // AU12 never occurs.
  occurrence: Int8Array.from({ length: 80 }, (_, i) => (i % 2 === 1 ? 0 : (i / 2) % 3 === 0 ? 1 : 0)),
};
/** What an evaluation on some of the frames alone would have kept. */
const partOf = (rows: readonly number[]): FrameScores => ({
  ...scores,
  frames: Uint32Array.from(rows),
  subjects: rows.map((row) => scores.subjects[row]!),
  probabilities: Float32Array.from(rows.flatMap((row) => [...scores.probabilities.subarray(2 * row, 2 * row + 2)])),
  occurrence: Int8Array.from(rows.flatMap((row) => [...scores.occurrence.subarray(2 * row, 2 * row + 2)])),
});
const report = evaluate({ ...scores, ...options });
const itself = compareScores(scores, scores, options);
const judged = (gate: string, comparison: ScoreComparison | string = itself, of = report) =>
  judgeGate(parseGate(gate), { report: of, comparison: () => comparison });

/** A comparison whose macro AUC changed so. */
const changedTo = (comparison: ScoreComparison, lower: number, upper: number): ScoreComparison => {
  const estimate = { value: (lower + upper) / 2, lower, upper };
  const pair: PairedComparison = { before: estimate, after: estimate, change: estimate };
  return { ...comparison, macroAuc: pair };
};
const changed = (lower: number, upper: number): ScoreComparison => changedTo(itself, lower, upper);

describe("the rules of a gate", () => {
  it("are limits, with what they leave out", () => {
    const gate = `
      macro_auc: {min: 0.7, not_lower_than: live, confidence: 0.9}
      each_action_unit:
        f1: {loses_at_most: 0.05}
      identity_leakage: {times_chance_at_most: 3}`;
    const live = "models/default@live";
    const figure = { of: "detector", name: "macroAuc" };
    expect(parseGate(gate)).toEqual([
      { kind: "min", rule: "macro_auc.min", figure, limit: 0.7, baseline: undefined, confidence: 0.9, mayLack: [] },
      {
        kind: "loss",
        rule: "macro_auc.not_lower_than",
        figure,
        limit: 0,
        baseline: live,
        confidence: 0.9,
        mayLack: [],
      },
      {
        kind: "loss",
        rule: "each_action_unit.f1.loses_at_most",
        figure: { of: "action_unit", name: "f1" },
        limit: 0.05,
        baseline: live,
        confidence: 0.95,
        mayLack: [],
      },
      { kind: "leakage", rule: "identity_leakage.times_chance_at_most", limit: 3, isTimesChance: true },
    ]);
  });

  it("are those of a classifier, too", () => {
    const earlier = "models/m/versions/1";
    const gate = `
      macro_f1: {not_lower_than: ${earlier}, by_more_than: 0.02}
      top1: {not_lower_than: models/m@canary}
      each_expression: {recall: {min: 0.5, loses_at_most: 0.1, compared_to: evaluations/e}, f1: {loses_at_most: 0.2, compared_to: models/m@live}}`;
    const recall = { of: "expression", name: "recall" };
    expect(parseGate(gate)).toMatchObject([
      { rule: "top1.not_lower_than", baseline: "models/m@canary" },
      {
        rule: "macro_f1.not_lower_than",
        figure: { of: "classifier", name: "macroF1" },
        limit: 0.02,
        baseline: earlier,
      },
      { kind: "min", rule: "each_expression.recall.min", figure: recall, limit: 0.5 },
      { rule: "each_expression.recall.loses_at_most", figure: recall, limit: 0.1, baseline: "evaluations/e" },
      { rule: "each_expression.f1.loses_at_most", baseline: "models/m@live" },
    ]);
    expect(
      parseGate("top1: {min: 0.5}\nmean_class_accuracy: {min: 0.4}\neach_expression: {f1: {min: 0.1}}"),
    ).toMatchObject([{ rule: "top1.min" }, { rule: "mean_class_accuracy.min" }, { rule: "each_expression.f1.min" }]);
  });

  it.each(["gate", "expression-gate"])("are those of docs/ci/%s.yaml", (name) => {
    const text = readFileSync(new URL(`../../../../docs/ci/${name}.yaml`, import.meta.url), "utf8");
    expect(parseGate(text).length).toBeGreaterThan(2);
  });

  it.each([
    ["", "gate"],
    ["{}", "gate"],
    ["macro_auc: {}", "gate.macro_auc"],
    ["macro_auc: {min: 70}", "gate.macro_auc.min"],
    ["macro_auc: {min: 0.7, confidence: 95}", "gate.macro_auc.confidence"],
    ["macro_auc: {min: 0.7, by_more_than: 0.1}", "gate.macro_auc.by_more_than"],
    ["mean_f1: {not_lower_than: yesterday}", "gate.mean_f1.not_lower_than"],
    ["each_action_unit: {f1: {compared_to: live}}", "gate.each_action_unit.f1"],
    ["identity_leakage: {}", "gate.identity_leakage"],
    ["top1: {}", "gate.top1"],
    ["top1: {min: 0.5, by_more_than: 0.1}", "gate.top1.by_more_than"],
    ["macro_f1: {not_lower_than: live}", "gate.macro_f1.not_lower_than"],
    ["macro_f1: {not_lower_than: canary}", "gate.macro_f1.not_lower_than"],
    ["macro_f1: {not_lower_than: models/default@live}", "gate.macro_f1.not_lower_than"],
    ["macro_f1: {not_lower_than: models/m@yesterday}", "gate.macro_f1.not_lower_than"],
    ["each_expression: {f1: {loses_at_most: 0.1, compared_to: live}}", "gate.each_expression.f1.compared_to"],
    ["each_expression: {}", "gate.each_expression"],
    ["each_expression: {auc: {min: 0.5}}", "gate.each_expression"],
    ["each_expression: {recall: {loses_at_most: 0.1}}", "gate.each_expression.recall.loses_at_most"],
    ["each_expression: {f1: {min: 0.1, compared_to: models/m/versions/1}}", "gate.each_expression.f1.compared_to"],
    ["macro_auk: {min: 0.7}", "gate"],
    ["macro_auc: {min: 0.7", "gate"],
    ["a: &a {min: 0.7}\nmacro_auc: *a", "gate"],
  ])("are refused with their place: %j", (gate, field) => {
    expect(() => parseGate(gate)).toThrow(InvalidGateError);
    try {
      parseGate(gate);
    } catch (error) {
      expect((error as InvalidGateError).violations.map((each) => each.field)).toContain(field);
    }
  });
});

it("says of a bare alias that a classifier's rule names the model", () => {
  expect(() => parseGate("top1: {not_lower_than: live}")).toThrow(/an alias with its model, such as models\/NAME@live/);
});

describe("a gate", () => {
  const loss = "macro_auc: {not_lower_than: live, by_more_than: 0.01}";
  it.each([
    ["pass", -0.01, 0.02],
    ["could_not_tell", -0.011, 0.02],
    ["could_not_tell", -0.3, -0.01],
    ["fail", -0.3, -0.011],
  ])("finds %s of a change between %f and %f", (outcome, lower, upper) => {
    expect(judged(loss, changed(lower, upper)).outcome).toBe(outcome);
  });

  it("judges a loss on the frames that both have, and says so, and a minimum on all of the evaluation", () => {
    const gate =
      "macro_auc: {min: 0.1, not_lower_than: live, by_more_than: 0.9}\neach_action_unit: {f1: {loses_at_most: 1}}";
    const judgedOn = (rows: readonly number[]) =>
      judgeGate(parseGate(gate), {
        report,
        comparison: ({ baseline }) => (baseline === undefined ? itself : compareScores(partOf(rows), scores, options)),
      });
    const [min, loss, ...each] = judgedOn([...Array(30).keys()]).findings;
    expect(min!.estimate).toEqual(report.macroAuc);
    expect(min!.explanation).not.toContain("held out");
    const { before, after } = compareScores(
      partOf([...Array(30).keys()]),
      partOf([...Array(30).keys()]),
      options,
    ).macroAuc;
    const words = ({ value, lower, upper }: Estimate) =>
      `${value!.toFixed(3)} [${lower!.toFixed(3)}, ${upper!.toFixed(3)}]`;
    expect(loss!.explanation).toBe(
      `change 0.000 [0.000, 0.000], from ${words(before)} of models/default@live to ${words(after)} on 30 of 40 frames (8 subjects), which both held out; expected to lose at most 0.9 at 95 %`,
    );
    expect(loss!.outcome).toBe("pass");
    for (const { explanation } of each) expect(explanation).toMatch(/ on 30 of 40 frames \(8 subjects\), |undefined/);
    expect(judgedOn([...Array(40).keys()]).findings[1]!.explanation).not.toContain("held out");

    const ofOne = judgedOn([3, 11, 19, 27, 35]).findings[1]!;
    expect(ofOne.outcome).toBe("could_not_tell");
    expect(ofOne.explanation).toMatch(
      / on 5 of 40 frames \(1 subject\), .*\. There is no interval: it takes two subjects$/,
    );
  });

  it("is never passed by what is undefined, has no interval or no baseline", () => {
    expect(judged("each_action_unit: {auc: {loses_at_most: 0.5}}").findings).toMatchObject([
      { actionUnit: 1, outcome: "pass" },
      { actionUnit: 12, outcome: "could_not_tell", explanation: expect.stringContaining("undefined on these frames") },
    ]);
    const alone = { ...scores, subjects: scores.subjects.map(() => "s") };
    expect(judged(loss, compareScores(alone, alone, options)).outcome).toBe("could_not_tell");
    expect(judged(loss, "nothing is live")).toMatchObject({
      outcome: "could_not_tell",
      findings: [{ explanation: "nothing is live" }],
    });
    expect(judged("identity_leakage: {max: 1}").outcome).toBe("could_not_tell");
    expect(judged("each_action_unit: {f1: {loses_at_most: 1}}", { ...itself, actionUnits: [] }).outcome).toBe(
      "could_not_tell",
    );
  });

  it.each([
    ["max: 0.6", "pass"],
    ["max: 0.5", "could_not_tell"],
    ["max: 0.3", "fail"],
    ["times_chance_at_most: 6", "pass"],
    ["times_chance_at_most: 3", "fail"],
  ])("finds of identity leakage %s: %s", (rule, outcome) => {
    const accuracy = { value: 0.5, lower: 0.4, upper: 0.6 };
    const identityLeakage = { accuracy, chance: 0.1, subjects: 10, trainFrames: 50, testFrames: 50 };
    expect(judged(`identity_leakage: {${rule}}`, itself, { ...report, identityLeakage }).outcome).toBe(outcome);
  });

  it("is failed by one broken rule, whatever else could not be told, and says so in Markdown and JUnit XML", () => {
    const result = judged("macro_auc: {min: 1}\neach_action_unit: {auc: {loses_at_most: 0}}");
    expect(result.outcome).toBe("fail");
    expect(result.findings[0]!.estimate).toEqual(report.macroAuc);
    const markdown = gateMarkdown(result, "a <b>");
    expect(markdown).toContain("# Gate failed: a <b>");
    expect(markdown).toContain("Rules: passed 1, failed 1, could not tell 1.");
    const xml = gateJunit(result, "a <b>");
    expect(XMLValidator.validate(xml)).toBe(true);
    const { testsuite } = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" }).parse(xml).testsuites;
    expect(testsuite).toMatchObject({ name: "Gate: a <b>", tests: "3", failures: "1", errors: "1" });
    expect(testsuite.testcase[0]).toMatchObject({ name: "macro_auc.min", failure: expect.anything() });
    expect(testsuite.testcase[1]).not.toHaveProperty("failure");
    expect(testsuite.testcase[2]).toMatchObject({
      name: "each_action_unit.auc.loses_at_most AU12",
      error: expect.anything(),
    });
  });
});

describe("a gate of a classifier", () => {
  const frames = 60;
  /** "never" is never labelled; of `errors` in 10 frames the answer is wrong. */
  const classified = (errors: number, expressions = ["joy", "rage", "never"]): ExpressionScores => ({
    expressions,
    frames: Uint32Array.from({ length: frames }, (_, i) => i),
    subjects: Array.from({ length: frames }, (_, i) => `s${i % 12}`),
    labels: Int32Array.from({ length: frames }, (_, i) => i % 2),
    logits: Float32Array.from({ length: expressions.length * frames }, (_, i) => {
      const frame = Math.floor(i / expressions.length);
      return ((frame * 7) % 10 < errors ? 1 - (frame % 2) : frame % 2) === i % expressions.length ? 1 : 0;
    }),
  });
  const earlier = "models/m/versions/1";
  const judgedBy = (gate: string, before: ExpressionScores, after: ExpressionScores) =>
    judgeGate(parseGate(gate), {
      report: evaluateExpressions({ ...after, ...options }),
      comparison: ({ baseline }) => compareExpressions(baseline === undefined ? after : before, after, options),
    });

  it.each([
    ["top1: {min: 0.5}", "pass"],
    ["top1: {min: 0.99}", "fail"],
    ["top1: {min: 0.7}", "could_not_tell"],
    [`mean_class_accuracy: {not_lower_than: ${earlier}}`, "fail"],
    [`macro_f1: {not_lower_than: ${earlier}, by_more_than: 0.5}`, "pass"],
    ["macro_f1: {min: 0.5}\nidentity_leakage: {max: 0.5}", "could_not_tell"],
  ])("finds of %s: %s", (gate, outcome) => {
    expect(judgedBy(gate, classified(0), classified(3)).outcome).toBe(outcome);
  });

  it("judges by the figures of the report", () => {
    const after = classified(3);
    const { top1, macroF1, expressions } = evaluateExpressions({ ...after, ...options });
    const { findings } = judgedBy("top1: {min: 0}\nmacro_f1: {min: 0}\neach_expression: {f1: {min: 0}}", after, after);
    expect(findings.map(({ estimate }) => estimate)).toEqual([top1, macroF1, ...expressions.map(({ f1 }) => f1)]);
  });

  it("has a finding of each expression, and none passes that does not occur or that the baseline does not know", () => {
    const gate = `each_expression: {recall: {loses_at_most: 0.05, compared_to: ${earlier}}, f1: {min: 0.2}}`;
    const { outcome, findings } = judgedBy(gate, classified(1, ["joy", "rage"]), classified(6));
    expect(outcome).toBe("fail");
    expect(findings.map(({ rule, expression, outcome }) => [rule.split(".")[1], expression, outcome])).toEqual([
      ["recall", "joy", "fail"],
      ["recall", "rage", "fail"],
      ["recall", "never", "could_not_tell"],
      ["f1", "joy", "pass"],
      ["f1", "rage", "pass"],
      ["f1", "never", "could_not_tell"],
    ]);
    expect(findings[2]!.explanation).toBe("The baseline does not know the expression");
    expect(findings[5]!.explanation).toContain("undefined on these frames");
    const result = { outcome, findings };
    expect(gateMarkdown(result, "c")).toContain("| each_expression.recall.loses_at_most joy | failed |");
    expect(gateJunit(result, "c")).toContain('<testcase name="each_expression.f1.min rage"');
  });

  it("judges a loss on the frames that both have, and says so", () => {
    const [before, after] = [classified(0), classified(3)];
    const rows = [...Array(20).keys()];
    const part = {
      ...before,
      frames: before.frames.slice(0, 20),
      subjects: before.subjects.slice(0, 20),
      labels: before.labels.slice(0, 20),
      logits: before.logits.slice(0, 60),
    };
    const gate = `top1: {min: 0.1, not_lower_than: ${earlier}}\neach_expression: {recall: {loses_at_most: 0.9, compared_to: ${earlier}}}`;
    const [min, loss, ...each] = judgedBy(gate, part, after).findings;
    expect(min!.explanation).not.toContain("held out");
    expect(loss!.estimate.value).toBeCloseTo(-rows.filter((row) => (row * 7) % 10 < 3).length / 20, 12);
    for (const { explanation } of [loss!, ...each.slice(0, 2)]) {
      expect(explanation).toContain(` of ${earlier} to `);
      expect(explanation).toContain(
        " on 20 of 60 frames (12 subjects), which both held out; expected to lose at most ",
      );
    }
    expect(each[2]!.explanation).toContain("undefined on these frames");
  });

  it("asks nothing of an expression that the data set does not have", () => {
    const scores = classified(1);
    const report = evaluateExpressions({ ...scores, ...options, datasetExpressions: ["rage", "joy", "awe"] });
    const comparison = () => compareExpressions(scores, scores, options);
    const { outcome, findings } = judgeGate(parseGate("each_expression: {f1: {min: 0.2}}"), { report, comparison });
    expect(findings.map(({ expression }) => expression)).toEqual(["joy", "rage"]);
    expect(outcome).toBe("pass");
  });

  it("has no rules of a detector, nor a detector's those of a classifier", () => {
    const gate =
      "macro_auc: {min: 0.5}\ntop1: {min: 0.5}\neach_action_unit: {f1: {min: 0.5}}\nidentity_leakage: {max: 1}";
    const refusedOf = (judge: () => unknown) => {
      try {
        judge();
        return [];
      } catch (error) {
        return (error as InvalidGateError).violations.map(({ field }) => field);
      }
    };
    expect(refusedOf(() => judgedBy(gate, classified(1), classified(1)))).toEqual([
      "gate.macro_auc.min",
      "gate.each_action_unit.f1.min",
    ]);
    expect(refusedOf(() => judged(gate))).toEqual(["gate.top1.min"]);
    const comparison = (): ExpressionComparison => compareExpressions(classified(1), classified(1), options);
    expect(() => judgeGate(parseGate("macro_auc: {min: 0.5}"), { report, comparison })).toThrow(TypeError);
  });
});

describe("a version that answers less than its baseline", () => {
  /** The baseline answers AU26 as well. */
  const more: FrameScores = {
    ...scores,
    actionUnits: [1, 12, 26],
    thresholds: [0.5, 0.5, 0.5],
    probabilities: Float32Array.from({ length: 120 }, (_, i) => ((i * 37) % 119) / 119),
    occurrence: Int8Array.from({ length: 120 }, (_, i) => (i % 5 === 0 ? 1 : 0)),
  };
  const less = compareScores(more, scores, options);
  // Whatever the shared action units do, they keep these limits.
  const gate = `
    macro_auc: {not_lower_than: models/m/versions/1, by_more_than: 1}
    each_action_unit: {auc: {loses_at_most: 1, compared_to: models/m/versions/1}}`;

  it("fails for each action unit that it lost, and leaves the mean open", () => {
    const { outcome, findings } = judged(gate, less);
    expect(outcome).toBe("fail");
    const [mean, ...units] = findings;
    expect(mean).toMatchObject({ rule: "macro_auc.not_lower_than", outcome: "could_not_tell" });
    expect(mean!.explanation).toContain("models/m/versions/1 also answers AU26");
    expect(units.map(({ actionUnit, outcome }) => [actionUnit, outcome])).toEqual([
      [1, "pass"],
      [12, "could_not_tell"],
      [26, "fail"],
    ]);
    expect(units[2]!.explanation).toContain("name it in may_lack");
    expect(
      judged(gate.replace("by_more_than: 1", "by_more_than: 0"), changedTo(less, -0.4, -0.2)).findings[0],
    ).toMatchObject({
      outcome: "fail",
    });
  });

  it("is judged as any other when the gate says that it may lack it", () => {
    const { findings } = judged(`${gate}\n    may_lack: [26]`, less);
    expect(findings.map(({ actionUnit, outcome }) => [actionUnit, outcome])).toEqual([
      [undefined, "pass"],
      [1, "pass"],
      [12, "could_not_tell"],
    ]);
    expect(judged(`${gate}\n    may_lack: [4]`, less).outcome).toBe("fail");
    expect(() => parseGate("may_lack: [26]")).toThrow("at least one rule");
    expect(() => parseGate("macro_auc: {min: 0.5}\nmay_lack: [-1]")).toThrow("may_lack");
  });

  it("is so of expressions, of those that frames are labelled with", () => {
    const answers = (expressions: readonly string[], labels: readonly number[]): ExpressionScores => ({
      expressions,
      frames: Uint32Array.from(labels.keys()),
      subjects: labels.map((_, i) => `s${i % 4}`),
      labels: Int32Array.from(labels),
      logits: Float32Array.from({ length: labels.length * expressions.length }, (_, i) => (i * 7) % 5),
    });
    const seen = Array.from({ length: 24 }, (_, i) => i % 3);
    const before = answers(["joy", "fear", "contempt", "never"], seen);
    const after = answers(
      ["joy", "fear"],
      seen.map((label) => (label === 2 ? -1 : label)),
    );
    const comparison = compareExpressions(before, after, options);
    expect(comparison).toMatchObject({ onlyBefore: ["contempt", "never"], lost: ["contempt"] });
    const rules = `
      top1: {not_lower_than: evaluations/e, by_more_than: 1}
      each_expression: {recall: {loses_at_most: 1, compared_to: evaluations/e}}`;
    const of = evaluateExpressions({ ...after, datasetExpressions: ["joy", "fear", "contempt"], ...options });
    const outcomes = (text: string) =>
      judgeGate(parseGate(text), { report: of, comparison: () => comparison }).findings.map(
        ({ expression, outcome }) => [expression, outcome],
      );
    expect(outcomes(rules)).toEqual([
      [undefined, "could_not_tell"],
      ["joy", "pass"],
      ["fear", "pass"],
      ["contempt", "fail"],
    ]);
    expect(outcomes(`${rules}\n      may_lack: [contempt]`)).toEqual([
      [undefined, "pass"],
      ["joy", "pass"],
      ["fear", "pass"],
    ]);
  });
});
