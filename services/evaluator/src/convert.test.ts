import { create } from "@bufbuild/protobuf";
import { evaluate } from "@duchenne/evaluation";
import { EvaluationReportSchema } from "@duchenne/proto";
import { expect, it } from "vitest";
import { evaluationReportMessage } from "./convert.ts";

const report = evaluate({
  actionUnits: [4, 12],
  probabilities: Float32Array.from({ length: 48 }, (_, i) => ((i * 7) % 11) / 11),
  occurrence: Int8Array.from({ length: 48 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
  subjects: Array.from({ length: 24 }, (_, i) => `s${i % 6}`),
  thresholds: [0.4, 0.6],
  seed: 1,
  resamples: 50,
});

const messageOf = async (figures: object) => {
  const stored = { ...figures, split: "held_out", datasetDigest: "d" };
  const about = { id: "e", modelVersion: "models/m/versions/1", dataset: "datasets/d", createTimeMs: 0 };
  return create(
    EvaluationReportSchema,
    await evaluationReportMessage({ ...about, report: JSON.parse(JSON.stringify(stored)) }, []),
  );
};

it("a report tells the swept F1 with its interval, of each action unit and in the mean, and what all decisions are together", async () => {
  const message = await messageOf(report);
  const { threshold, ...sweptF1 } = report.sweptF1;
  expect(message).toMatchObject({ sweptF1: sweptF1.value, sweptThreshold: threshold, meanSweptF1: sweptF1 });
  expect(sweptF1.lower).toBeDefined();
  for (const [i, unit] of message.actionUnits.entries()) {
    expect(unit.sweptF1).toMatchObject(report.actionUnits[i]!.sweptF1);
  }
  const [first, second] = report.actionUnits;
  expect(message.meanPrevalence).toBeCloseTo((first!.prevalence + second!.prevalence) / 2, 12);
  const truePositives = first!.confusion!.truePositives + second!.confusion!.truePositives;
  expect(message.totalConfusion).toMatchObject({ truePositives });
  const json = JSON.parse(message.json);
  expect(json).toMatchObject({ sweptF1: report.sweptF1, meanPrevalence: message.meanPrevalence });
  expect(json.totalConfusion.truePositives).toBe(truePositives);
});

it("a report that an earlier release stored, without these, is read without them", async () => {
  const { value, threshold } = report.sweptF1;
  const actionUnits = report.actionUnits.map(({ sweptF1: _, confusion: __, ...unit }) => unit);
  const message = await messageOf({ ...report, sweptF1: { value, threshold }, actionUnits });
  expect(message.meanSweptF1).toMatchObject({ value });
  expect(message.meanSweptF1!.lower).toBeUndefined();
  expect(message.actionUnits[0]!.sweptF1!.value).toBeUndefined();
  expect(message.meanPrevalence).toBeDefined();
  expect(message.totalConfusion).toBeUndefined();
});
