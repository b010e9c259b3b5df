import { createModelConfig, type ModelCard, modelCardSchema, type Quantization } from "@duchenne/model";
import { expect, it } from "vitest";
import { quantizedCard } from "./quantized-card.ts";

const SOURCE = "models/m/versions/1";
const quantization: Quantization = {
  precision: "int8",
  rangeMethod: "least_squares",
  calibration: { dataset: "datasets/faces", digest: "f1", frames: 8, seed: 1 },
  floatLayers: [],
  maxMeanDifference: 0.01,
  measured: { frames: 4, isHeldOut: true, meanDifference: 0, maxDifference: 0, float32: {}, int8: {} },
};

function card(changes: Partial<ModelCard> = {}): ModelCard {
  return {
    model: "models/m",
    description: "A detector.",
    config: createModelConfig("micro", { actionUnits: [12], numSubjects: 0, dropPath: 0 }),
    dataset: { name: "datasets/d", description: "", digest: "d1", subjects: 2, frames: 8 },
    split: { isOfficial: false, trainSubjects: ["a"], validationSubjects: [], testSubjects: ["b"] },
    recipe: {},
    boxConvention: "unknown",
    thresholds: [],
    metrics: { "test/macroAuc": { value: 0.7, lower: 0.6, upper: 0.8, intervalOver: "subjects" } },
    licenses: [{ source: "datasets/d", digest: "d1", license: "CC-BY-4.0" }],
    intendedUse: "",
    limitations: "",
    lineage: { job: "training", attempt: 1, initialModelVersion: "models/mae/versions/1", initialModelDigest: "m1" },
    ...changes,
  };
}

const made = (source: ModelCard, calibrationLicense?: string) =>
  quantizedCard(source, {
    model: "models/small",
    sourceVersion: SOURCE,
    sourceDigest: "s1",
    job: { id: "quantization", attempt: 3 },
    quantization,
    calibrationLicense,
  });

it("the card of a version in int8 keeps what its source was made from, and names the source by digest", () => {
  const { lineage, metrics } = made(card());
  expect(lineage).toEqual({
    job: "quantization",
    attempt: 3,
    initialModelVersion: "models/mae/versions/1",
    initialModelDigest: "m1",
    quantizedModelVersion: SOURCE,
    quantizedModelDigest: "s1",
  });
  expect(metrics).toEqual({});
});

it("the card of a version in int8 has the licences of its source and of what it was calibrated on", () => {
  const own = { source: "datasets/d", digest: "d1", license: "CC-BY-4.0", through: SOURCE };
  const calibration = { source: "datasets/faces", digest: "f1", license: "Apache-2.0" };
  expect(made(card(), "Apache-2.0").licenses).toEqual([own, calibration]);
  expect(made(card()).licenses).toEqual([own, { ...calibration, license: "unknown" }]);
});

it("the card of a version in int8 of an earlier release's says that the licences are unknown", () => {
  const { licenses: _, ...earlier } = card();
  const quantized = made(earlier, "Apache-2.0");
  expect(quantized.licenses).toEqual([
    { source: "datasets/d", digest: "d1", license: "unknown", through: SOURCE },
    { source: "models/mae/versions/1", license: "unknown", through: SOURCE },
    { source: "datasets/faces", digest: "f1", license: "Apache-2.0" },
  ]);
  expect(modelCardSchema.parse(quantized)).toEqual(quantized);
});
