import type { Dataset, Sample } from "@duchenne/data";
import { createModelConfig } from "@duchenne/model";
import { describe, expect, it } from "vitest";
import {
  type Precision,
  planDistil,
  planExpression,
  planFineTune,
  planLinearProbe,
  planPretrain,
  RecipeError,
} from "./index.ts";

/** A data set that exists only as labels: 12 subjects of 40 frames, half of them with AU12. */
function labelled(changes: Partial<Dataset> = {}): Dataset {
  const subjects = Array.from({ length: 12 }, (_, i) => `s${i}`);
  const samples = subjects.flatMap((subject, subjectIndex) =>
    Array.from(
      { length: 40 },
      (_, i): Sample => ({
        imagePath: `/${subject}/${i}.png`,
        subject,
        subjectIndex,
        occurrence: Int8Array.of(i % 2),
        intensity: Float32Array.of(Number.NaN),
        expression: i % 7,
      }),
    ),
  );
  return {
    name: "labels",
    directory: "/",
    description: "",
    actionUnits: [12],
    subjects,
    samples,
    digest: "0",
    boxConvention: "unknown",
    ...changes,
  };
}

const small = { encoder: { variant: "micro" }, optimization: { batchSize: 16 } } as const;

/** What a plan is refused for. */
function violationsOf(plan: () => unknown): readonly { readonly field: string; readonly description: string }[] {
  try {
    plan();
  } catch (error) {
    if (error instanceof RecipeError) return error.violations;
    throw error;
  }
  throw new Error("The recipe was accepted");
}

describe("the published recipes", () => {
  it.each([
    ["bp4d", 0, { epochs: 20, warmupEpochs: 2, peak: 5e-5 }],
    ["bp4d", undefined, { epochs: 30, warmupEpochs: 3, peak: 1.25e-4, lambda: 2 }],
    ["bp4d+", 0, { epochs: 20, warmupEpochs: 2, peak: 1.25e-4 }],
    ["bp4d+", undefined, { epochs: 30, warmupEpochs: 3, peak: 1.25e-4, lambda: 1 }],
    ["disfa", 0, { epochs: 20, warmupEpochs: 2, peak: 1.25e-4 }],
    ["disfa", undefined, { epochs: 20, warmupEpochs: 2, peak: 1.25e-4, lambda: 0.5 }],
  ] as const)("are those of the specification's table: %s, lambda %s", (protocol, lambda, expected) => {
    const { recipe, peakLearningRate, config } = planFineTune({ preset: "paper", lambda }, labelled({ protocol }));
    expect(recipe.optimization).toMatchObject({
      epochs: expected.epochs,
      warmupEpochs: expected.warmupEpochs,
      batchSize: 64,
      accumulationSteps: 1,
      layerDecay: 0.65,
      weightDecay: 0.05,
      beta2: 0.999,
      minLearningRate: 1e-6,
      shuffle: "once",
      clipGradientNorm: 0,
      emaDecay: 0,
    });
    expect(peakLearningRate).toBeCloseTo(expected.peak, 12);
    expect(recipe.lambda).toBe("lambda" in expected ? expected.lambda : 0);
    expect(recipe).toMatchObject({ unknownLabels: "negative", identityLoss: "bce", augmentation: "paper" });
    expect(config).toMatchObject({ variant: "large", imageSize: 224, patchSize: 16, dropPath: 0.1 });
  });

  it("validate on the test part; the recommended ones hold validation subjects out and differ in nothing else", () => {
    const dataset = labelled();
    const paper = planFineTune({ preset: "paper" }, dataset);
    const recommended = planFineTune({}, dataset);
    expect(paper.parts.validation).toEqual(paper.parts.test);
    const subjects = (indices: Uint32Array) => new Set(Array.from(indices, (i) => dataset.samples[i]!.subject));
    const { train, validation, test } = recommended.parts;
    const all = [train, validation, test].flatMap((part) => [...subjects(part)]);
    expect(all.toSorted()).toEqual(dataset.subjects.toSorted());
    expect(test).toEqual(paper.parts.test);
    expect({
      ...recommended.recipe,
      preset: "paper",
      unknownLabels: "negative",
      split: paper.recipe.split,
      optimization: { ...recommended.recipe.optimization, shuffle: "once" },
    }).toEqual(paper.recipe);
  });

  it("of pretraining: an effective batch of 512 at 3e-4, 50 epochs", () => {
    const samples = Array.from({ length: 50 }, () => labelled().samples).flat();
    const { recipe, peakLearningRate, stepsPerEpoch } = planPretrain({}, labelled({ samples }));
    expect(peakLearningRate).toBeCloseTo(3e-4, 12);
    expect(stepsPerEpoch).toBe(Math.floor(samples.length / 512));
    expect(recipe).toMatchObject({ maskRatio: 0.75, normPixLoss: true, augmentation: "flip" });
    expect(recipe.optimization).toMatchObject({ epochs: 50, warmupEpochs: 2, beta2: 0.95, minLearningRate: 0 });
  });

  it("of expressions: RAF-DB and AffectNet-8", () => {
    const expressions = ["a", "b", "c", "d", "e", "f", "g"];
    const plan = (protocol: "raf-db" | "affectnet-8") =>
      planExpression({ preset: "paper" }, labelled({ protocol, expressions })).recipe.optimization;
    expect(plan("raf-db")).toMatchObject({ baseLearningRate: 1e-3, batchSize: 32, epochs: 60, warmupEpochs: 6 });
    expect(plan("affectnet-8")).toMatchObject({ baseLearningRate: 5e-4, batchSize: 64, epochs: 30, warmupEpochs: 3 });
  });

  it("of the probe: 20 epochs on augmented images, a backbone in train mode", () => {
    const { recipe } = planLinearProbe({ preset: "paper" }, labelled());
    expect(recipe).toMatchObject({ backbone: "train_mode", augmentation: "paper", testFraction: 0.3, layers: 1 });
    expect(recipe.optimization).toMatchObject({ epochs: 20, warmupEpochs: 2, baseLearningRate: 2e-4, batchSize: 64 });
  });
});

describe("the precision", () => {
  it("is float32 on every machine, and bfloat16 for whoever asks, in every training", () => {
    const expressions = ["a", "b", "c", "d", "e", "f", "g"];
    const teacher = createModelConfig("micro", { actionUnits: [12], numSubjects: 0, dropPath: 0 });
    const plans = [
      (precision: Precision | undefined) =>
        planFineTune({ ...small, optimization: { batchSize: 16, precision } }, labelled()),
      (precision: Precision | undefined) =>
        planPretrain({ ...small, optimization: { batchSize: 16, precision } }, labelled()),
      (precision: Precision | undefined) =>
        planExpression({ ...small, optimization: { batchSize: 16, precision } }, labelled({ expressions })),
      (precision: Precision | undefined) =>
        planDistil({ ...small, optimization: { batchSize: 16, precision } }, labelled(), teacher),
      (precision: Precision | undefined) => planLinearProbe({ optimization: { precision } }, labelled()),
    ];
    for (const plan of plans) {
      expect(plan(undefined).recipe.optimization.precision).toBe("float32");
      expect(plan("bfloat16").recipe.optimization.precision).toBe("bfloat16");
      expect(violationsOf(() => plan("float16" as never))[0]!.field).toBe("optimization.precision");
    }
  });
});

describe("lambda = 0", () => {
  it("means no identity head at all; otherwise the head names every subject, the held-out ones too", () => {
    expect(planFineTune({ ...small, lambda: 0 }, labelled()).config.numSubjects).toBe(0);
    expect(planFineTune({ ...small, lambda: 0.5 }, labelled()).config.numSubjects).toBe(12);
  });
});

describe("the split", () => {
  const folds = [
    ["s0", "s1", "s2"],
    ["s3", "s4", "s5"],
    ["s6", "s7", "s8", "s9", "s10", "s11"],
  ];
  const testSubjects = (plan: ReturnType<typeof planFineTune>, { samples }: Dataset) =>
    new Set(Array.from(plan.parts.test, (i) => samples[i]!.subject));

  it("is a fold of the data set's own, or one of drawn ones", () => {
    const dataset = labelled({ folds });
    const own = planFineTune({ ...small, split: { fold: 2 } }, dataset);
    expect([...testSubjects(own, dataset)]).toEqual(["s3", "s4", "s5"]);
    const drawn = [1, 2, 3, 4].map((fold) => planFineTune({ ...small, split: { fold, folds: 4 } }, dataset));
    const all = drawn.flatMap((plan) => [...testSubjects(plan, dataset)]);
    expect(all.toSorted()).toEqual(dataset.subjects.toSorted());
  });
  it("draws the folds of a seed of their own, whatever the seed of the rest", () => {
    const dataset = labelled();
    const drawn = (seed: number, more: object = {}) =>
      testSubjects(
        planFineTune(
          { ...small, split: { fold: 1, folds: 3, ...more }, optimization: { ...small.optimization, seed } },
          dataset,
        ),
        dataset,
      );
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(drawn(2, { foldSeed: 1 })).toEqual(drawn(1));
    expect(violationsOf(() => planFineTune({ ...small, split: { foldSeed: 1 } }, dataset))[0]!.field).toBe(
      "split.folds",
    );
  });
  it("is the official one where there is one", () => {
    const samples = labelled().samples.map((sample, i) => ({
      ...sample,
      partition: i % 5 === 0 ? ("test" as const) : ("train" as const),
    }));
    const { parts, recipe } = planFineTune({ ...small, preset: "paper" }, labelled({ samples }));
    expect(parts.test).toHaveLength(samples.length / 5);
    expect(recipe.split).toEqual({ validationFraction: 0 });
  });
  it("with a subject in two folds, a fold that is not there, or a fold and a share, is refused", () => {
    const twice = labelled({ folds: [...folds, ["s0"]] });
    expect(() => planFineTune({ ...small, split: { fold: 1 } }, twice)).toThrow('"s0" stands in folds 1 and 4');
    expect(() => planFineTune({ ...small, split: { fold: 9 } }, labelled({ folds }))).toThrow("of 1..3, got 9");
    expect(() => planFineTune({ ...small, split: { fold: 1 } }, labelled())).toThrow("with folds, it has none");
    const both = violationsOf(() => planFineTune({ ...small, split: { fold: 1, testFraction: 0.2 } }, labelled()));
    expect(both[0]!.field).toBe("split.testFraction");
  });
});

describe("an impossible recipe", () => {
  it("names every field that is wrong", () => {
    const fields = violationsOf(() =>
      planFineTune(
        {
          encoder: { variant: "giant" as never },
          split: { testFraction: 1 },
          optimization: { epochs: 0, emaDecay: 1 },
        },
        labelled(),
      ),
    );
    expect(fields.map(({ field }) => field).sort()).toEqual([
      "encoder.variant",
      "optimization.emaDecay",
      "optimization.epochs",
      "optimization.warmupEpochs",
      "split.testFraction",
    ]);
  });
  it("is one that does not fit the data", () => {
    const batch = violationsOf(() => planFineTune({ ...small, optimization: { batchSize: 1000 } }, labelled()));
    expect(batch[0]).toEqual({
      field: "optimization.batchSize",
      description: "Expected at most the 320 frames of the training part, got 1000",
    });
    const one = labelled({ subjects: ["s0"], samples: labelled().samples.slice(0, 40) });
    expect(() => planFineTune(small, one)).toThrow("at least 2 subjects");
    const always = labelled({
      samples: labelled().samples.map((sample) => ({ ...sample, occurrence: Int8Array.of(1) })),
    });
    expect(violationsOf(() => planFineTune(small, always))[0]!.description).toContain("got only some with");
    const none = labelled({ actionUnits: [] });
    expect(violationsOf(() => planFineTune(small, none))[0]!.description).toContain("action unit labels");
    expect(violationsOf(() => planExpression(small, labelled()))[0]!.description).toContain("expression labels");
  });
  it("is an adversary in a data set without subjects", () => {
    const samples = labelled().samples.map((sample, i) => ({
      ...sample,
      subject: "",
      subjectIndex: -1,
      partition: i % 4 === 0 ? ("test" as const) : ("train" as const),
    }));
    const nobody = labelled({ subjects: [], samples });
    const violations = violationsOf(() => planFineTune({ ...small, lambda: 1 }, nobody));
    expect(violations).toEqual([{ field: "lambda", description: expect.stringContaining("without subjects") }]);
    expect(planFineTune({ ...small, lambda: 0 }, nobody).config.numSubjects).toBe(0);
  });
  it("is one that does not fit the version that it starts from", () => {
    const initial = createModelConfig("micro", { actionUnits: [12], numSubjects: 0, dropPath: 0 });
    const fields = violationsOf(() =>
      planFineTune({ ...small, encoder: { variant: "tiny", patchSize: 16, imageSize: 100 } }, labelled(), initial),
    ).map(({ field }) => field);
    expect(fields).toEqual(["encoder.imageSize", "encoder.variant", "encoder.patchSize"]);
    expect(planFineTune({ optimization: { batchSize: 16 } }, labelled(), initial).config.variant).toBe("micro");
  });
  it("is a pretraining with stochastic depth or a best epoch, and a frozen probe with augmentation", () => {
    const fields = violationsOf(() =>
      planPretrain(
        { encoder: { variant: "micro", dropPath: 0.1 }, optimization: { batchSize: 16, keep: "best" } },
        labelled(),
      ),
    ).map(({ field }) => field);
    expect(fields).toEqual(["encoder.dropPath", "optimization.keep"]);
    const probe = violationsOf(() => planLinearProbe({ augmentation: "flip" }, labelled()));
    expect(probe[0]!.field).toBe("augmentation");
    // Twelve names, and frames of one.
    const alone = labelled().samples.filter(({ subject }) => subject === "s3");
    const [violation] = violationsOf(() => planLinearProbe({}, labelled({ samples: alone })));
    expect(violation).toEqual({ field: "dataset", description: expect.stringContaining("got 1 such") });
  });
});
