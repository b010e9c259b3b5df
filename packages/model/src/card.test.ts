import { describe, expect, it } from "vitest";
import { createModelConfig, inheritedLicenses, modelCardSchema } from "./index.ts";

/** A card as releases before intervals wrote it. */
const earlier = {
  model: "models/m",
  description: "",
  config: createModelConfig("micro", { actionUnits: [12], numSubjects: 0, dropPath: 0 }),
  dataset: { name: "datasets/d", description: "", digest: "d1", subjects: 4, frames: 40 },
  split: { trainSubjects: ["a"], testSubjects: ["b"] },
  recipe: {},
  boxConvention: "unknown",
  thresholds: [{ actionUnit: 12, threshold: 0.5, origin: "convention", note: "" }],
  metrics: { "test/macroAuc": 0.75 },
  intendedUse: "",
  limitations: "",
  lineage: { job: "j", attempt: 1, initialModelVersion: "models/mae/versions/1" },
};

describe("a model card", () => {
  it("of an earlier release, whose figures are numbers alone, reads as one of figures without intervals", () => {
    expect(modelCardSchema.parse(earlier).metrics).toEqual({ "test/macroAuc": { value: 0.75 } });
  });

  it("keeps the intervals of its figures, and what they were drawn over", () => {
    const metrics = {
      "test/macroAuc": { value: 0.75, lower: 0.7, upper: 0.8, intervalOver: "subjects" },
      "test/sweptThreshold": { value: 0.3 },
    };
    expect(modelCardSchema.parse({ ...earlier, metrics }).metrics).toEqual(metrics);
  });
});

describe("the licences that a version hands on", () => {
  const VERSION = "models/m/versions/1";

  it("are those of its card, and name the version", () => {
    const licenses = [
      { source: "datasets/d", digest: "d1", license: "CC-BY-4.0" },
      { source: "mae.pth", license: "unknown", through: "models/mae/versions/1" },
    ];
    expect(inheritedLicenses(modelCardSchema.parse({ ...earlier, licenses }), VERSION)).toEqual([
      { ...licenses[0], through: VERSION },
      { ...licenses[1], through: VERSION },
    ]);
  });

  it("are unknown of an earlier release, but for what an import noted", () => {
    expect(inheritedLicenses(modelCardSchema.parse(earlier), VERSION)).toEqual([
      { source: "datasets/d", digest: "d1", license: "unknown", through: VERSION },
      { source: "models/mae/versions/1", license: "unknown", through: VERSION },
    ]);
    const { dataset: _, ...rest } = earlier;
    const imported = {
      ...{ fileName: "mae.pth", format: "pth", sha256: "f1", sizeBytes: 1, trainingArguments: {}, subjects: [] },
      licenseNote: "CC BY-NC 4.0",
      report: { missing: [], unexpected: [], reshaped: [], ignored: [], notes: [] },
    };
    const card = modelCardSchema.parse({ ...rest, lineage: {}, imported });
    expect(inheritedLicenses(card, VERSION)).toEqual([
      { source: "mae.pth", digest: "f1", license: "CC BY-NC 4.0", through: VERSION },
    ]);
  });
});
