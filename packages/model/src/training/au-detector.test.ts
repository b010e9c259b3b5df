import { gelu, loadTensorFlow, type TensorFlow } from "@duchenne/tensor";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { createModelConfig, exportOnnx, initialiseParameters } from "../index.ts";
import { auLoss, createAuDetector, identityLoss, parameterGroups } from "./index.ts";

let tf: TensorFlow;
beforeAll(async () => {
  tf = await loadTensorFlow();
});

const config = createModelConfig("micro", { actionUnits: [1, 4, 12], numSubjects: 5, dropPath: 0.1 });
const pixels = (count: number) =>
  Float32Array.from({ length: count * 3 * 96 * 96 }, (_, i) => Math.sin(0.013 * i) + 0.5 * Math.sin(1.9 * i));
const images = (count: number) => tf.tensor4d(pixels(count), [count, 3, 96, 96]);
const evaluation = { training: false, lambda: 2, seed: 0 };

describe("the detector", () => {
  it("answers what its ONNX export answers", async () => {
    const parameters = initialiseParameters(config, 11);
    const detector = createAuDetector(tf, config, parameters);
    const { auLogits, features } = detector.forward(images(3), evaluation);
    const session = await InferenceSession.create(exportOnnx(config, parameters));
    const served = await session.run({ image: new Tensor("float32", pixels(3), [3, 3, 96, 96]) });
    const difference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
    expect(difference(auLogits.dataSync(), served.logits!.data as Float32Array)).toBeLessThan(2e-5);
    expect(difference(features.dataSync(), served.features!.data as Float32Array)).toBeLessThan(2e-5);
    await session.release();
    detector.dispose();
  });

  it("gives the backbone minus lambda times the identity gradient, and the head plus one times", () => {
    const detector = createAuDetector(tf, config, initialiseParameters(config, 1));
    const gradients = (lambda: number) =>
      tf.variableGrads(
        () => {
          const { identityLogits } = detector.forward(images(2), { ...evaluation, lambda });
          return identityLoss(tf, identityLogits!, tf.tensor1d([0, 3], "int32"), "bce").asScalar();
        },
        [...detector.variables.values()].filter(({ name }) => name !== ""),
      ).grads;
    const by = (name: string, lambda: number) => gradients(lambda)[detector.variables.get(name)!.name]!.dataSync();
    const backbone = by("blocks.3.mlp.fc2.weight", 1);
    const doubled = by("blocks.3.mlp.fc2.weight", 2);
    for (let i = 0; i < backbone.length; i += 97) expect(doubled[i]!).toBeCloseTo(2 * backbone[i]!, 6);
    expect(backbone.some((value) => Math.abs(value) > 1e-6)).toBe(true);
    expect([...by("ID_head.weight", 2)]).toEqual([...by("ID_head.weight", 1)]);
    detector.dispose();
  });

  it("reverses the identity gradient at the backbone and not at the head, by finite differences of the loss", () => {
    const detector = createAuDetector(tf, config, initialiseParameters(config, 1));
    const lambda = 2;
    const loss = () => {
      const { identityLogits } = detector.forward(images(2), { ...evaluation, lambda });
      return identityLoss(tf, identityLogits!, tf.tensor1d([0, 3], "int32"), "ce").asScalar();
    };
    const { grads } = tf.variableGrads(loss, [...detector.variables.values()]);
    for (const [name, factor] of [
      ["patch_embed.proj.weight", -lambda],
      ["blocks.1.attn.qkv.weight", -lambda],
      ["fc_norm.weight", -lambda],
      ["ID_head.weight", 1],
    ] as const) {
      // Along the gradient's own direction the loss changes most: by its norm.
      const variable = detector.variables.get(name)!;
      const gradient = grads[variable.name]!;
      const norm = gradient.norm().dataSync()[0]!;
      const start = variable.clone();
      const at = (distance: number) => {
        variable.assign(start.add(gradient.mul(distance / norm)));
        return loss().dataSync()[0]!;
      };
      const slope = (at(0.02) - at(-0.02)) / 0.04;
      variable.assign(start);
      expect(norm, name).toBeGreaterThan(1e-3);
      expect((factor * slope) / norm, name).toBeCloseTo(1, 2);
    }
    detector.dispose();
  });

  it.each([2, 3] as const)("has an identity head of %d layers, with activations between them", (identityLayers) => {
    const deep = { ...config, identityLayers };
    const parameters = initialiseParameters(deep, 4);
    const detector = createAuDetector(tf, deep, parameters);
    const { features, identityLogits } = detector.forward(images(2), evaluation);
    let x = features.arraySync() as number[][];
    for (let layer = 0; layer < identityLayers; layer++) {
      const weight = parameters.get(`ID_head.${2 * layer}.weight`)!;
      const bias = parameters.get(`ID_head.${2 * layer}.bias`)!.data;
      const inputs = weight.shape[1]!;
      if (layer > 0) x = gelu(tf, tf.tensor2d(x)).arraySync() as number[][];
      x = x.map((row) =>
        Array.from(bias, (b, o) => row.reduce((sum, value, i) => sum + value * weight.data[o * inputs + i]!, b)),
      );
    }
    for (const [i, value] of identityLogits!.dataSync().entries()) expect(value).toBeCloseTo(x.flat()[i]!, 4);
    detector.dispose();
  });

  it("leaks no tensors over a step", () => {
    const detector = createAuDetector(tf, config, initialiseParameters(config, 1));
    const step = () =>
      tf.tidy(() => {
        tf.variableGrads(() => {
          const { auLogits } = detector.forward(images(2), { ...evaluation, training: true });
          return auLoss(tf, auLogits, tf.zeros([2, 3])).asScalar();
        });
      });
    step();
    const before = tf.memory().numTensors;
    step();
    step();
    expect(tf.memory().numTensors).toBe(before);
    detector.dispose();
  });
});

describe("the losses", () => {
  it("average over known labels only", () => {
    const logits = tf.tensor2d([[0, 2], [-1, 0]]); // biome-ignore format: a matrix
    const targets = tf.tensor2d([[1, 0], [1, 1]]); // biome-ignore format: a matrix
    const known = tf.tensor2d([[1, 0], [1, 0]]); // biome-ignore format: a matrix
    const expected = (Math.log(2) + Math.log(1 + Math.E)) / 2;
    expect(auLoss(tf, logits, targets, known).dataSync()[0]).toBeCloseTo(expected, 6);
    const all = (Math.log(2) * 2 + Math.log(1 + Math.E) + Math.log(1 + Math.exp(2))) / 4;
    expect(auLoss(tf, logits, targets).dataSync()[0]).toBeCloseTo(all, 6);
  });

  it("of identity start at the chance level of 41 subjects", () => {
    // BCE at the base rate: -(1/41 log 1/41 + 40/41 log 40/41) = 0.115, as the paper's Table 7 suggests; CE: ln 41.
    const subjects = tf.tensor1d([0, 40], "int32");
    const base = tf.fill([2, 41], Math.log(1 / 40));
    expect(identityLoss(tf, base, subjects, "bce").dataSync()[0]).toBeCloseTo(0.1147, 4);
    expect(identityLoss(tf, base, subjects, "ce").dataSync()[0]).toBeCloseTo(Math.log(41), 5);
  });
});

describe("parameterGroups", () => {
  it("decay the learning rate by layer and only matrices by weight", () => {
    const groups = parameterGroups(config, { layerDecay: 0.65, weightDecay: 0.05 });
    const of = (name: string) => groups.find(({ names }) => names.includes(name))!;
    expect(of("head.weight")).toMatchObject({ learningRateScale: 1, weightDecay: 0.05 });
    expect(of("fc_norm.weight")).toMatchObject({ learningRateScale: 1, weightDecay: 0 });
    expect(of("blocks.3.attn.qkv.weight").learningRateScale).toBeCloseTo(0.65, 12);
    expect(of("blocks.0.attn.qkv.weight").learningRateScale).toBeCloseTo(0.65 ** 4, 12);
    expect(of("patch_embed.proj.weight")).toMatchObject({ learningRateScale: 0.65 ** 5, weightDecay: 0.05 });
    for (const name of ["cls_token", "pos_embed", "head.bias", "blocks.0.norm1.weight"]) {
      expect(of(name).weightDecay, name).toBe(0);
    }
    expect(groups.flatMap(({ names }) => names).length).toBe(4 + 4 * 12 + 6);
    // The last layer's decaying group stands before the other, unlike those of the earlier layers.
    expect(groups.map(({ weightDecay }) => weightDecay > 0).slice(-2)).toEqual([true, false]);
  });
});
