import { readFile } from "node:fs/promises";
import { maeConfigSchema, type Parameter, readSafetensors } from "@duchenne/model";
import { createMae, type Mae, maskFromNoise, maskTensors } from "@duchenne/model/training";
import { loadTensorFlow, type TensorFlow } from "@duchenne/tensor";
import type { Scalar, Tensor4D } from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const OUTPUT = 2e-5;
const GRADIENT = 1e-5;

const config = maeConfigSchema.parse({
  kind: "mae",
  variant: "micro",
  imageSize: 24,
  patchSize: 8,
  dim: 16,
  depth: 2,
  heads: 2,
  decoderDim: 12,
  decoderDepth: 2,
  decoderHeads: 3,
});

let tf: TensorFlow;
let fixture: ReadonlyMap<string, Parameter>;
let mae: Mae;
beforeAll(async () => {
  tf = await loadTensorFlow();
  fixture = readSafetensors(await readFile(new URL("./fixtures/mae.safetensors", import.meta.url))).parameters;
  mae = createMae(tf, config, withPrefix("parameter."));
});
afterAll(() => mae.dispose());

function withPrefix(prefix: string): Map<string, Parameter> {
  const entries = [...fixture].filter(([name]) => name.startsWith(prefix));
  return new Map(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}
const value = (name: string) => fixture.get(name)!.data;
const images = () => tf.tensor(value("images"), [...fixture.get("images")!.shape]) as unknown as Tensor4D;
const mask = () => maskFromNoise(value("noise"), 9, 0.75);
const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (each, i) => Math.abs(each - b[i]!)));

describe("against PyTorch and timm, the masked autoencoder", () => {
  it("hides the same patches", () => {
    expect(mask().masked).toEqual(value("masked"));
  });

  it("predicts the same pixels", () => {
    const { prediction } = mae.forward(images(), maskTensors(tf, mask(), 9), { normPixLoss: true });
    expect(largest(prediction.dataSync(), value("prediction"))).toBeLessThan(OUTPUT);
  });

  it.each([
    ["normPix", true],
    ["pixels", false],
  ] as const)("has the same loss and gradients (%s)", (kind, normPixLoss) => {
    const { value: loss, grads } = tf.variableGrads(
      () => mae.forward(images(), maskTensors(tf, mask(), 9), { normPixLoss }).loss as Scalar,
      [...mae.variables.values()],
    );
    expect(largest(loss.dataSync(), value(`${kind}.loss`))).toBeLessThan(OUTPUT);
    const expected = withPrefix(`${kind}.gradient.`);
    expect([...expected.keys()].sort()).toEqual([...mae.variables.keys()].sort());
    for (const [name, { data }] of expected) {
      const actual = grads[mae.variables.get(name)!.name]!.dataSync();
      const error = Math.hypot(...Array.from(actual, (each, i) => each - data[i]!));
      expect(error / Math.hypot(...data), name).toBeLessThan(GRADIENT);
    }
  });
});
