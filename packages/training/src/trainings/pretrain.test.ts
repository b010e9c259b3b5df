import { loadTensorFlow } from "@duchenne/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { drawFaces } from "../../test-fixtures/drawn-faces.ts";
import { digestsOf, metricsOf, runTraining } from "../../test-fixtures/run-training.ts";
import { pretrain, type TrainingEvent } from "../index.ts";
import { planPretrain } from "../recipes/index.ts";

const [tf, faces] = [await loadTensorFlow(), await drawFaces()];
afterAll(() => faces.remove());

function run(
  epochs: number,
  { stopAt, checkpoint }: { stopAt?: (event: TrainingEvent) => boolean; checkpoint?: Uint8Array } = {},
) {
  const { dataset } = faces;
  const optimization = { epochs, warmupEpochs: 0.5, batchSize: 8, accumulationSteps: 2, baseLearningRate: 0.02 };
  const plan = planPretrain({ encoder: { variant: "micro" }, optimization }, dataset);
  return runTraining((signal) => pretrain({ tf, dataset, plan, signal, checkpoint }), stopAt);
}

describe("a pretraining", () => {
  it("learns to reconstruct hidden patches", async () => {
    const losses = metricsOf(await run(6)).flatMap((values) => values["epoch/loss"] ?? []);
    expect(losses).toHaveLength(6);
    // Knowing nothing but the mean leaves the variance of a standardised patch: 1.
    expect(losses.at(-1)!).toBeLessThan(0.95 * losses[0]!);
  });

  it("resumed from a checkpoint equals one that never stopped, masks and fixed tables included", async () => {
    const straight = await run(2);
    const first = await run(2, { stopAt: (event) => event.kind === "checkpoint" && event.step === 4 });
    const second = await run(2, { checkpoint: first.checkpoint! });
    expect(digestsOf(second.result!.parameters)).toEqual(digestsOf(straight.result!.parameters));
    expect(straight.result!.parameters.has("decoder_pos_embed")).toBe(true);
    expect([...metricsOf(first), ...metricsOf(second)]).toEqual(metricsOf(straight));
  });
});
