import { describe, expect, it } from "vitest";
import { createModelConfig, modelCardSchema } from "./index.ts";

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
