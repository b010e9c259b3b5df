import type { Dataset, Sample } from "@duchenne/data";
import type { ModelCard } from "@duchenne/model";
import { createModelConfig } from "@duchenne/model";
import { describe, expect, it } from "vitest";
import {
  ExpressionMismatchError,
  NoHeldOutPartError,
  NoLabelledFrameError,
  selectFrames,
  sharedExpressions,
} from "./select-frames.ts";

/** Four frames; every second one belongs to the official test part. */
function dataset(subjects: readonly string[]): Dataset {
  const samples = [0, 1, 2, 3].map(
    (i): Sample => ({
      imagePath: `/${i}.png`,
      subject: subjects[i % 2] ?? "",
      subjectIndex: subjects.length === 0 ? -1 : i % 2,
      occurrence: Int8Array.of(1),
      intensity: Float32Array.of(Number.NaN),
      expression: -1,
      partition: i < 2 ? "train" : "test",
    }),
  );
  const rest = { name: "four", directory: "/", description: "", digest: "d", boxConvention: "unknown" };
  return { ...rest, actionUnits: [12], subjects, samples };
}

function card(split: Partial<ModelCard["split"]>, digest = "d"): ModelCard {
  return {
    model: "models/m",
    description: "",
    config: createModelConfig("micro", { actionUnits: [12], numSubjects: 0, dropPath: 0 }),
    dataset: { name: "datasets/four", description: "", digest, subjects: 2, frames: 4 },
    split: { isOfficial: false, trainSubjects: [], validationSubjects: [], testSubjects: [], ...split },
    recipe: {},
    boxConvention: "unknown",
    thresholds: [],
    metrics: {},
    intendedUse: "",
    limitations: "",
    lineage: {},
  };
}

describe("the held-out frames", () => {
  it("are those of the subjects that the training held out", () => {
    const frames = selectFrames(dataset(["a", "b"]), "held_out", card({ testSubjects: ["b"] }));
    expect([...frames]).toEqual([1, 3]);
  });
  it("are the official test part's, never training frames of the same subject or of nobody", () => {
    const official = card({ isOfficial: true, testSubjects: ["a", "b"] });
    expect([...selectFrames(dataset(["a", "b"]), "held_out", official)]).toEqual([2, 3]);
    expect([...selectFrames(dataset([]), "held_out", card({ isOfficial: true }))]).toEqual([2, 3]);
  });
  it("are unknown on another data set", () => {
    expect(() => selectFrames(dataset(["a", "b"]), "held_out", card({ isOfficial: true }, "other"))).toThrow(
      NoHeldOutPartError,
    );
  });
});

describe("the classes of frames", () => {
  const labelled = (expressions: readonly string[], ...indices: number[]): Dataset => {
    const { samples, ...rest } = dataset([]);
    return { ...rest, expressions, samples: samples.map((sample, i) => ({ ...sample, expression: indices[i]! })) };
  };
  const all = Uint32Array.of(0, 1, 2, 3);
  it("are the model's by name, whatever their order; unknown and foreign ones are none", () => {
    const data = labelled(["joy", "contempt", "anger"], 0, 1, 2, -1);
    expect([...sharedExpressions(["anger", "fear", "joy"], data, all)]).toEqual([2, -1, 0, -1]);
    expect([...sharedExpressions(["anger", "fear", "joy"], data, Uint32Array.of(2))]).toEqual([0]);
  });
  it("are refused when there are none that the model knows", () => {
    const data = labelled(["joy", "contempt"], 1, 1, 1, -1);
    expect(() => sharedExpressions(["anger", "fear"], data, all)).toThrow(ExpressionMismatchError);
    expect(() => sharedExpressions(["joy", "fear"], data, all)).toThrow(NoLabelledFrameError);
    expect(() => sharedExpressions(["joy"], dataset(["a", "b"]), all)).toThrow(
      "Expected a data set with some of the expressions joy, it has none",
    );
  });
});
