import type { Dataset } from "@duchenne/data";
import { createModelConfig, initialiseParameters, readSafetensors } from "@duchenne/model";
import { loadTensorFlow } from "@duchenne/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { drawFaces } from "../../test-fixtures/drawn-faces.ts";
import { digestsOf, metricsOf, runTraining } from "../../test-fixtures/run-training.ts";
import { readCheckpoint, writeCheckpoint } from "../checkpoint.ts";
import { fineTune, type TrainingEvent } from "../index.ts";
import { type FineTuneRecipe, type Partially, planFineTune } from "../recipes/index.ts";

const [tf, faces] = [await loadTensorFlow(), await drawFaces()];
afterAll(() => faces.remove());

type Changes = Omit<Partially<FineTuneRecipe>, "optimization"> & {
  readonly optimization?: Partially<FineTuneRecipe["optimization"]>;
};

function run(
  changes: Changes = {},
  {
    checkpoint,
    stopAt,
    dataset = faces.dataset,
  }: { checkpoint?: Uint8Array; stopAt?: (event: TrainingEvent) => boolean; dataset?: Dataset } = {},
) {
  const plan = planFineTune(
    {
      encoder: { variant: "micro" },
      lambda: 1,
      augmentation: "flip",
      ...changes,
      optimization: { epochs: 2, warmupEpochs: 1, batchSize: 8, baseLearningRate: 0.02, ...changes.optimization },
    },
    dataset,
  );
  return runTraining((signal) => fineTune({ tf, dataset, plan, signal, checkpoint }), stopAt);
}

const atCheckpoint = (step: number) => (event: TrainingEvent) => event.kind === "checkpoint" && event.step === step;

describe("a fine-tune", () => {
  // Averaged weights, the best epoch and patience are all part of what goes on.
  const whole = { epochs: 5, emaDecay: 0.8, patience: 3, checkpointEverySteps: 3, gradientNormsEverySteps: 2 };

  it.each(["float32", "bfloat16"] as const)(
    "in %s, resumed from a checkpoint equals one that never stopped, bit for bit",
    async (precision) => {
      const optimization = { ...whole, precision };
      const straight = await run({ optimization });
      const first = await run({ optimization }, { stopAt: atCheckpoint(6) });
      expect(first.thrown).toMatchObject({ message: "stopped" });
      const second = await run({ optimization }, { checkpoint: first.checkpoint! });
      expect(second.events[0]).toMatchObject({ kind: "log", text: "Continues after step 6 of 20" });
      expect(digestsOf(second.result!.parameters)).toEqual(digestsOf(straight.result!.parameters));
      expect({ ...second.result, parameters: 0 }).toEqual({ ...straight.result, parameters: 0 });
      expect([...metricsOf(first), ...metricsOf(second)]).toEqual(metricsOf(straight));
    },
  );

  it("stopped while it validates goes on with the validation", async () => {
    const optimization = { checkpointEverySteps: 2, metricsEverySteps: 1 };
    const straight = await run({ optimization });
    // The metrics of an epoch's last step are told right before its validation.
    const first = await run({ optimization }, { stopAt: (event) => event.kind === "metrics" && event.step === 4 });
    expect(first.thrown).toMatchObject({ message: "stopped" });
    const second = await run({ optimization }, { checkpoint: first.checkpoint! });
    expect([...metricsOf(first), ...metricsOf(second)]).toEqual(metricsOf(straight));
    expect(digestsOf(second.result!.parameters)).toEqual(digestsOf(straight.result!.parameters));
  });

  it("stopped after its last step has a checkpoint to be published from", async () => {
    const straight = await run();
    const last = await run({}, { stopAt: atCheckpoint(8) });
    const again = await run({}, { checkpoint: last.checkpoint! });
    expect(digestsOf(again.result!.parameters)).toEqual(digestsOf(straight.result!.parameters));
    expect(again.result!.metrics).toEqual(straight.result!.metrics);
  });

  it("keeps the weights of the best epoch, or of the last step", async () => {
    const optimization = { epochs: 4, checkpointEverySteps: 4, keep: "best" } as const;
    const best = await run({ optimization });
    const figures = metricsOf(best).flatMap((values) => values["validation/macroAuc"] ?? []);
    const epoch = figures.indexOf(Math.max(...figures)) + 1;
    expect(best.result!.epoch).toBe(epoch);
    expect(best.result!.metrics["validation/macroAuc"]!.value).toBe(Math.max(...figures));
    const checkpoints = best.events.flatMap((event) => (event.kind === "checkpoint" ? [event] : []));
    const ofEpoch = readSafetensors(checkpoints.find(({ step }) => step === 4 * epoch)!.bytes).parameters;
    expect(best.result!.parameters.get("head.bias")!.data).toEqual(ofEpoch.get("head.bias")!.data);
    const last = await run({ optimization: { ...optimization, keep: "last" } });
    expect(last.result!.epoch).toBe(4);
    expect(last.result!.metrics["validation/macroAuc"]!.value).toBe(figures[3]);
  });

  it("tells gradients that are measured every few steps with the metrics of the same steps, and their mean", async () => {
    // Eight steps in two epochs.
    const every = await run({ optimization: { gradientNormsEverySteps: 1 } });
    const ratios = metricsOf(every).flatMap((values) => values["train/gradientRatio"] ?? []);
    expect(ratios.length).toBe(8);
    const few = await run({ optimization: { gradientNormsEverySteps: 4, metricsEverySteps: 4 } });
    const told = metricsOf(few);
    expect(told.flatMap((values) => values["train/gradientRatio"] ?? [])).toEqual([ratios[3], ratios[7]]);
    const means = told.flatMap((values) => values["epoch/gradientRatio"] ?? []);
    expect(means).toEqual([(ratios[0]! + ratios[3]!) / 2, ratios[7]]);
  });

  it("tells the figures of its parts with intervals over their subjects", async () => {
    const { metrics } = (await run({ preset: "paper", split: { testFraction: 0.5 } })).result!;
    const { value, lower, upper, intervalOver } = metrics["test/macroAuc"]!;
    expect(intervalOver).toBe("subjects");
    expect(lower!).toBeLessThanOrEqual(value);
    expect(upper!).toBeGreaterThanOrEqual(value);
    expect(upper!).toBeGreaterThan(lower!);
    for (const name of ["test/f1/AU12", "test/sweptF1"])
      expect(metrics[name]).toMatchObject({ intervalOver: "subjects" });
    expect(metrics["test/sweptThreshold"]).toEqual({ value: expect.any(Number) });
    // One subject leaves nothing to draw.
    expect((await run()).result!.metrics["test/macroAuc"]).toEqual({ value: expect.any(Number) });
  });

  it("stops early when the best epoch lies too far back", async () => {
    const { events, result } = await run({ optimization: { epochs: 40, patience: 1, baseLearningRate: 1e-6 } });
    const epochs = events.filter((event) => event.kind === "metrics" && "validation/macroAuc" in event.values).length;
    expect(epochs).toBeLessThan(40);
    expect(result!.epoch).toBe(epochs - 1);
    expect(events.at(-1)).toMatchObject({ kind: "log", text: expect.stringContaining("remains the best") });
  });

  it("takes unknown labels as absent when told to, and leaves them out otherwise", async () => {
    const hidden: Dataset = {
      ...faces.dataset,
      samples: faces.dataset.samples.map((sample, i) => ({
        ...sample,
        occurrence: sample.occurrence.map((label) => (i % 3 === 0 && label === 0 ? -1 : label)),
      })),
    };
    const train = async (dataset: Dataset, unknownLabels: "masked" | "negative") => {
      const { result } = await run({ unknownLabels, optimization: { epochs: 1, warmupEpochs: 0 } }, { dataset });
      return digestsOf(result!.parameters);
    };
    const negative = await train(hidden, "negative");
    expect(negative).toEqual(await train(faces.dataset, "negative"));
    expect(await train(hidden, "masked")).not.toEqual(negative);
  });

  it("of the preset paper measures on the test part and says so, and has no thresholds of its own", async () => {
    const { result } = await run({ preset: "paper" });
    expect(Object.keys(result!.metrics).filter((name) => !name.startsWith("test/"))).toEqual([]);
    expect(result!.thresholds.every((threshold) => threshold === undefined)).toBe(true);
    const recommended = await run();
    expect(recommended.result!.metrics).toHaveProperty(["validation/macroAuc"]);
    expect(recommended.result!.metrics).toHaveProperty(["test/macroAuc"]);
    expect(recommended.result!.thresholds.some((threshold) => threshold !== undefined)).toBe(true);
  });

  it("refuses the checkpoint of another recipe", async () => {
    const { checkpoint } = await run({ optimization: { checkpointEverySteps: 1 } }, { stopAt: atCheckpoint(1) });
    for (const other of [{ seed: 9 }, { precision: "bfloat16" }] as const) {
      const { thrown } = await run(
        { optimization: { checkpointEverySteps: 1, ...other } },
        { checkpoint: checkpoint! },
      );
      expect(thrown).toMatchObject({ reason: "CHECKPOINT_MISMATCH" });
    }
  });

  it("learns its training frames, and tells of it", async () => {
    const run8 = await run({
      lambda: 0,
      encoder: { variant: "micro", dropPath: 0 },
      augmentation: "none",
      split: { validationFraction: 0 },
      optimization: { epochs: 8, layerDecay: 1 },
    });
    const losses = metricsOf(run8).flatMap((values) => values["epoch/auLoss"] ?? []);
    expect(losses).toHaveLength(8);
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
    const progress = run8.events.filter((event) => event.kind === "progress");
    expect(progress.at(-1)).toMatchObject({ step: 48, totalSteps: 48, epoch: 8, etaMs: 0 });
    expect(metricsOf(run8).filter((values) => "train/auLoss" in values)).toHaveLength(48);
  });

  it("ends with the step and the last good checkpoint when the loss is no number any more", async () => {
    const changes = { optimization: { checkpointEverySteps: 1 } };
    const { checkpoint } = await run(changes, { stopAt: atCheckpoint(1) });
    const state = readCheckpoint(checkpoint!, readSafetensors(checkpoint!).metadata.training!);
    const units = faces.dataset.actionUnits.length;
    const bias = { shape: [units], data: new Float32Array(units).fill(Number.NaN) };
    const broken = writeCheckpoint({ ...state, parameters: new Map([...state.parameters, ["head.bias", bias]]) });
    const { thrown } = await run(changes, { checkpoint: broken });
    expect(thrown).toMatchObject({ reason: "NON_FINITE_LOSS", step: 2, lastCheckpointStep: 1 });
    expect((thrown as Error).message).toContain("became NaN in step 2. The last good checkpoint is that of step 1.");
  });

  it("starts from another model's weights", async () => {
    const { dataset } = faces;
    const config = createModelConfig("micro", { actionUnits: [1], numSubjects: 0, dropPath: 0 });
    const initial = { config, parameters: initialiseParameters(config, 77) };
    const plan = planFineTune(
      { lambda: 0, optimization: { epochs: 1, warmupEpochs: 0.5, batchSize: 8, baseLearningRate: 1e-9 } },
      dataset,
      config,
    );
    const { result } = await runTraining((signal) => fineTune({ tf, dataset, plan, signal, initial }));
    const start = initial.parameters.get("blocks.0.attn.qkv.weight")!.data;
    const end = result!.parameters.get("blocks.0.attn.qkv.weight")!.data;
    for (const i of [0, 100, 5000]) expect(end[i]).toBeCloseTo(start[i]!, 5);
    const head = result!.parameters.get("head.weight")!.data;
    expect(Math.max(...head.map(Math.abs))).toBeLessThan(1e-3);
  });

  it("leaks no tensors", async () => {
    await run({ optimization: { epochs: 1, warmupEpochs: 0 } });
    const before = tf.memory().numTensors;
    await run({ optimization: { epochs: 1, warmupEpochs: 0 } });
    expect(tf.memory().numTensors).toBe(before);
  });
});
