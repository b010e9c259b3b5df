import {
  clipByGlobalNorm,
  compile,
  createAdamW,
  loadTensorFlow,
  seedTensor,
  type TensorFlow,
  usesFusedKernels,
  withoutFusedKernels,
} from "@duchenne/tensor";
import { provisionKernels } from "@duchenne/tensor/provision";
import type { Scalar, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { createMaeConfig, createModelConfig, initialiseMaeParameters, initialiseParameters } from "../index.ts";
import {
  auLoss,
  createAuDetector,
  createMae,
  identityLoss,
  maeParameterGroups,
  maskFromNoise,
  maskTensors,
  parameterGroups,
} from "./index.ts";

let tf: TensorFlow;
beforeAll(async () => {
  await provisionKernels();
  tf = await loadTensorFlow();
});

const pixels = (count: number, size: number) =>
  Float32Array.from({ length: count * 3 * size * size }, (_, i) => Math.sin(0.013 * i) + 0.5 * Math.sin(1.9 * i));

/** Trains a detector adversarially; answers every step's losses and the weights at the end. */
function trainDetector(mode: "recorded" | "eager", steps: number) {
  const config = createModelConfig("micro", { actionUnits: [1, 4, 12], numSubjects: 5, dropPath: 0.3 });
  const detector = createAuDetector(tf, config, initialiseParameters(config, 7));
  const groups = parameterGroups(config, { layerDecay: 0.65, weightDecay: 0.05 });
  const optimizer = createAdamW(tf, detector.variables, groups);
  const before = tf.memory().numTensors;
  const compiled = compile(tf, {
    mode,
    state: new Map([...detector.variables, ...optimizer.variables]),
    step({ images, targets, subjects, seed, factors }: Record<string, Tensor>) {
      const { value, grads } = tf.variableGrads(() => {
        const pass = { training: true, lambda: 1, seed: seed! };
        const { auLogits, identityLogits } = detector.forward(images as Tensor4D, pass);
        return auLoss(tf, auLogits, targets!).add(identityLoss(tf, identityLogits!, subjects!, "bce")) as Scalar;
      }, [...detector.variables.values()]);
      const byName = Object.fromEntries([...detector.variables].map(([name, { name: id }]) => [name, grads[id]!]));
      const { gradients, norm } = clipByGlobalNorm(tf, byName, 0.5);
      return { outputs: { loss: value as Tensor, norm }, updates: optimizer.updates(gradients, factors!) };
    },
  });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const { loss, norm } = compiled.run({
        images: tf.tensor4d(pixels(3, 96), [3, 3, 96, 96]),
        targets: tf.tensor2d([[1, 0, 1], [0, 0, 1], [1, 1, 0]]), // biome-ignore format: a matrix
        subjects: tf.tensor1d([0, 3, 4], "int32"),
        seed: seedTensor(tf, 100 + step),
        factors: optimizer.advance(1e-3),
      });
      losses.push(loss!.dataSync()[0]!, norm!.dataSync()[0]!);
    });
  }
  compiled.dispose();
  const leaked = tf.memory().numTensors - before;
  const weights = detector.parameters();
  detector.dispose();
  optimizer.dispose();
  return { losses, weights, leaked };
}

/** Weights are those of the other run to float32's rounding, which Adam makes larger where gradients are small. */
function expectSameTraining(
  actual: ReturnType<typeof trainDetector>,
  expected: ReturnType<typeof trainDetector>,
): void {
  for (const [i, loss] of expected.losses.entries()) expect(actual.losses[i]).toBeCloseTo(loss, 5);
  for (const [name, { data }] of expected.weights) {
    const other = actual.weights.get(name)!.data;
    const error = Math.hypot(...Array.from(data, (value, i) => value - other[i]!));
    expect(error / Math.hypot(...data, 1e-6), name).toBeLessThan(1e-4);
  }
  expect(actual.leaked).toBe(0);
}

describe("a compiled step", () => {
  it("trains a detector adversarially as the same step does eagerly", () => {
    const recorded = trainDetector("recorded", 4);
    const eager = trainDetector("eager", 4);
    expect(recorded.losses[0]).not.toBe(recorded.losses[2]);
    // TensorFlow's optimiser fuses and reorders within the rounding of 32 bits.
    expectSameTraining(recorded, eager);
    expect(eager.leaked).toBe(0);
  });

  it("trains with the fused kernels as without them", () => {
    expect(usesFusedKernels(tf)).toBe(true);
    expectSameTraining(
      trainDetector("recorded", 4),
      withoutFusedKernels(() => trainDetector("recorded", 4)),
    );
  });

  it("is the same in every run, bit for bit", () => {
    const [first, second] = [trainDetector("recorded", 3), trainDetector("recorded", 3)];
    expect(second.losses).toEqual(first.losses);
    for (const [name, { data }] of first.weights) expect(second.weights.get(name)!.data, name).toEqual(data);
  });

  it("pretrains a masked autoencoder: masks are inputs", () => {
    const config = createMaeConfig("micro");
    const size = config.imageSize;
    const patches = (size / config.patchSize) ** 2;
    const train = (mode: "recorded" | "eager") => {
      const mae = createMae(tf, config, initialiseMaeParameters(config, 3));
      const optimizer = createAdamW(tf, mae.variables, maeParameterGroups(config, 0.05), { beta2: 0.95 });
      const compiled = compile(tf, {
        mode,
        state: new Map([...mae.variables, ...optimizer.variables]),
        step({ images, kept, places, masked, factors }: Record<string, Tensor>) {
          const mask = { kept: kept!, places: places!, masked: masked! };
          const { value, grads } = tf.variableGrads(
            () => mae.forward(images as Tensor4D, mask, { normPixLoss: true }).loss as Scalar,
            [...mae.variables.values()],
          );
          const byName = Object.fromEntries([...mae.variables].map(([name, { name: id }]) => [name, grads[id]!]));
          return { outputs: { loss: value as Tensor }, updates: optimizer.updates(byName, factors!) };
        },
      });
      const losses = [0, 1, 2].map((step) =>
        tf.tidy(() => {
          const noise = Float32Array.from({ length: 2 * patches }, (_, i) => Math.sin(i * 12.9898 + step) ** 2);
          const mask = maskTensors(tf, maskFromNoise(noise, patches, 0.75), patches);
          const images = tf.tensor4d(pixels(2, size), [2, 3, size, size]);
          return compiled.run({ images, ...mask, factors: optimizer.advance(1e-3) }).loss!.dataSync()[0]!;
        }),
      );
      compiled.dispose();
      mae.dispose();
      optimizer.dispose();
      return losses;
    };
    const recorded = train("recorded");
    for (const [i, loss] of train("eager").entries()) expect(recorded[i]).toBeCloseTo(loss, 5);
    expect(recorded[2]).toBeLessThan(recorded[0]!);
  });
});
