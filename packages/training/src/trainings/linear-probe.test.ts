import type { Dataset } from "@duchenne/data";
import { createModelConfig, initialiseParameters } from "@duchenne/model";
import { loadTensorFlow } from "@duchenne/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { drawFaces } from "../../test-fixtures/drawn-faces.ts";
import { metricsOf, runTraining } from "../../test-fixtures/run-training.ts";
import { linearProbe, type TrainingEvent } from "../index.ts";
import { type LinearProbeRecipe, type Partially, planLinearProbe } from "../recipes/index.ts";

const [tf, faces] = [await loadTensorFlow(), await drawFaces()];
afterAll(() => faces.remove());

const config = createModelConfig("micro", { actionUnits: [1], numSubjects: 0, dropPath: 0.1 });
const model = { config, parameters: initialiseParameters(config, 1) };

function run(
  value: Partially<LinearProbeRecipe>,
  {
    stopAt,
    checkpoint,
    dataset = faces.dataset,
  }: { stopAt?: (event: TrainingEvent) => boolean; checkpoint?: Uint8Array; dataset?: Dataset } = {},
) {
  const plan = planLinearProbe(value, dataset);
  return runTraining((signal) => linearProbe({ tf, dataset, plan, model, signal, checkpoint }), stopAt);
}

describe("the identity probe", () => {
  it("names the subjects of drawn faces far better than chance, from weights nobody trained", async () => {
    const { result, events } = await run({ optimization: { epochs: 60, warmupEpochs: 6, batchSize: 16 } });
    expect(result).toMatchObject({ chance: 0.25, subjects: 4, top5: 1 });
    expect(result!.trainFrames + result!.testFrames).toBe(64);
    expect(result!.top1).toBeGreaterThan(2 * result!.chance);
    // One curve over the epochs, as the paper's Figure 3, from before the first step on.
    const curve = metricsOf({ events }).flatMap((values) => values["test/top1"] ?? []);
    expect(curve).toHaveLength(61);
    expect(curve.at(-1)).toBe(result!.top1);
    expect(metricsOf({ events })[0]!["test/crossEntropy"]).toBeCloseTo(Math.log(4), 3);
  });

  it("counts only subjects with held-out frames in its chance level, not all of a published vocabulary", async () => {
    // A subject without frames, and one of whom a single frame is left, which stays in the training part.
    const [first] = faces.dataset.samples.filter(({ subjectIndex }) => subjectIndex === 3);
    const dataset: Dataset = {
      ...faces.dataset,
      subjects: [...faces.dataset.subjects, "never seen"],
      samples: faces.dataset.samples.filter((sample) => sample.subjectIndex !== 3 || sample === first),
    };
    const { result } = await run({ optimization: { epochs: 1, warmupEpochs: 0.5, batchSize: 16 } }, { dataset });
    expect(result).toMatchObject({ subjects: 3, chance: 1 / 3 });
  });

  it("may have hidden layers", async () => {
    const { result } = await run({ layers: 2, optimization: { epochs: 60, warmupEpochs: 6, batchSize: 16 } });
    expect(result!.top1).toBeGreaterThan(2 * result!.chance);
  });

  it("as published sees augmented images with stochastic depth, and resumes bit for bit", async () => {
    const value = {
      preset: "paper",
      augmentation: "flip",
      framesPerSubject: 10,
      optimization: { epochs: 2, warmupEpochs: 1, batchSize: 14 },
    } as const;
    const straight = await run(value);
    expect(straight.result).toMatchObject({ trainFrames: 28, testFrames: 12 });
    const first = await run(value, { stopAt: (event) => event.kind === "checkpoint" && event.step === 2 });
    const second = await run(value, { checkpoint: first.checkpoint! });
    expect(second.result).toEqual(straight.result);
    expect([...metricsOf(first), ...metricsOf(second)]).toEqual(metricsOf(straight));
  });
});
