import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import type { PairedComparison } from "../compare-paired.ts";
import { compareScores, evaluate, type ScoreComparison } from "../index.ts";
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
const report = evaluate({ ...scores, ...options });
const itself = compareScores(scores, scores, options);
const judged = (gate: string, comparison: ScoreComparison | string = itself, of = report) =>
  judgeGate(parseGate(gate), { report: of, comparison: () => comparison });

/** A comparison whose macro AUC changed so. */
const changed = (lower: number, upper: number): ScoreComparison => {
  const estimate = { value: (lower + upper) / 2, lower, upper };
  const pair: PairedComparison = { before: estimate, after: estimate, change: estimate };
  return { ...itself, macroAuc: pair };
};

describe("the rules of a gate", () => {
  it("are limits, with what they leave out", () => {
    const gate = `
      macro_auc: {min: 0.7, not_lower_than: live, confidence: 0.9}
      each_action_unit:
        f1: {loses_at_most: 0.05}
      identity_leakage: {times_chance_at_most: 3}`;
    const live = "models/default@live";
    expect(parseGate(gate)).toEqual([
      { kind: "min", rule: "macro_auc.min", figure: "macroAuc", limit: 0.7, baseline: undefined, confidence: 0.9 },
      { kind: "loss", rule: "macro_auc.not_lower_than", figure: "macroAuc", limit: 0, baseline: live, confidence: 0.9 },
      {
        kind: "loss",
        rule: "each_action_unit.f1.loses_at_most",
        figure: "f1",
        limit: 0.05,
        baseline: live,
        confidence: 0.95,
      },
      { kind: "leakage", rule: "identity_leakage.times_chance_at_most", limit: 3, isTimesChance: true },
    ]);
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
