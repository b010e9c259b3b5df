import type { Dataset } from "@duchenne/data";
import { loadTensorFlow, type TensorFlow } from "@duchenne/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawFaces } from "../../test-fixtures/drawn-faces.ts";
import { digestsOf, metricsOf, runTraining } from "../../test-fixtures/run-training.ts";
import { fineTuneExpression, type TrainingEvent } from "../index.ts";
import { planExpression } from "../recipes/index.ts";

let tf: TensorFlow;
let faces: Awaited<ReturnType<typeof drawFaces>>;
/** Drawn faces by whether their eyes are closed; every tenth frame has no label. */
let dataset: Dataset;
beforeAll(async () => {
  tf = await loadTensorFlow();
  faces = await drawFaces();
  const unit = faces.dataset.actionUnits.indexOf(43);
  dataset = {
    ...faces.dataset,
    expressions: ["open", "closed"],
    samples: faces.dataset.samples.map((sample, i) => ({
      ...sample,
      expression: i % 10 === 9 ? -1 : sample.occurrence[unit]!,
    })),
  };
});
afterAll(() => faces.remove());

describe("an expression fine-tune", () => {
  it("learns the classes of its training frames and leaves frames without one out", async () => {
    const plan = planExpression(
      {
        encoder: { variant: "micro", dropPath: 0 },
        augmentation: "none",
        optimization: { epochs: 8, warmupEpochs: 1, batchSize: 8, baseLearningRate: 0.02, layerDecay: 1 },
      },
      dataset,
    );
    const used = [...plan.parts.train, ...plan.parts.validation, ...plan.parts.test];
    expect(used.length).toBe(64 - 6);
    expect(used.every((index) => dataset.samples[index]!.expression >= 0)).toBe(true);
    const run = await runTraining((signal) => fineTuneExpression({ tf, dataset, plan, signal }));
    const losses = metricsOf(run).flatMap((values) => values["epoch/loss"] ?? []);
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
    expect(run.result!.config.expressions).toEqual(["open", "closed"]);
    expect(run.result!.metrics).toHaveProperty(["validation/top1"]);
    expect(Object.keys(run.result!.metrics)).toEqual([
      ...["validation/top1", "validation/meanClassAccuracy", "validation/macroF1"],
      ...["test/top1", "test/meanClassAccuracy", "test/macroF1"],
    ]);
  });

  it("resumed from a checkpoint equals one that never stopped, augmentation and dropped paths included", async () => {
    const plan = planExpression(
      {
        encoder: { variant: "micro" },
        optimization: { epochs: 2, warmupEpochs: 1, batchSize: 8, checkpointEverySteps: 2 },
      },
      dataset,
    );
    expect(plan.recipe.encoder.dropPath).toBeGreaterThan(0);
    const train = (checkpoint?: Uint8Array, stopAt?: (event: TrainingEvent) => boolean) =>
      runTraining((signal) => fineTuneExpression({ tf, dataset, plan, signal, checkpoint }), stopAt);
    const straight = await train();
    const first = await train(undefined, (event) => event.kind === "checkpoint" && event.step === 4);
    const second = await train(first.checkpoint!);
    expect(digestsOf(second.result!.parameters)).toEqual(digestsOf(straight.result!.parameters));
    expect([...metricsOf(first), ...metricsOf(second)]).toEqual(metricsOf(straight));
  });
});
