import { readFile } from "node:fs/promises";
import { exportOnnx, type ModelConfig, modelConfigSchema, type Parameter, readSafetensors } from "@duchenne/model";
import {
  type AuDetector,
  auLoss,
  createAuDetector,
  type IdentityLossKind,
  identityLoss,
  parameterGroups,
} from "@duchenne/model/training";
import { createAdamW, loadTensorFlow, type TensorFlow } from "@duchenne/tensor";
import type { Scalar, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { InferenceSession, Tensor as OnnxTensor } from "onnxruntime-node";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

// Tolerances: the end of section 1.19 of the behavioural specification.
const OUTPUT = 2e-5;
const GRADIENT = 1e-5;
const TRAINED = 2e-6;

const config: ModelConfig = modelConfigSchema.parse({
  kind: "vit",
  variant: "micro",
  imageSize: 16,
  patchSize: 8,
  dim: 12,
  depth: 2,
  heads: 3,
  actionUnits: [1, 4, 12],
  numSubjects: 5,
  dropPath: 0,
});

let tf: TensorFlow;
let fixture: ReadonlyMap<string, Parameter>;
let detector: AuDetector;

beforeAll(async () => {
  tf = await loadTensorFlow();
  fixture = readSafetensors(await readFile(new URL("./fixtures/vit.safetensors", import.meta.url))).parameters;
});
beforeEach(() => {
  detector = createAuDetector(tf, config, withPrefix("parameter."));
});
afterEach(() => detector.dispose());

function withPrefix(prefix: string): Map<string, Parameter> {
  const entries = [...fixture].filter(([name]) => name.startsWith(prefix));
  return new Map(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}
const value = (name: string) => fixture.get(name)!.data;
const tensor = (name: string) => tf.tensor(value(name), [...fixture.get(name)!.shape]);
const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (each, i) => Math.abs(each - b[i]!)));

function losses(kind: IdentityLossKind, lambda: number): { au: Tensor; identity: Tensor } {
  const pass = detector.forward(tensor("images") as Tensor4D, { training: true, lambda, seed: 0 });
  const occurrence = tensor("occurrence");
  return {
    au: auLoss(tf, pass.auLogits, occurrence.equal(1).cast("float32"), occurrence.notEqual(-1).cast("float32")),
    identity: identityLoss(tf, pass.identityLogits!, tensor("subjects").cast("int32"), kind),
  };
}
function gradients(kind: IdentityLossKind, lambda: number): Record<string, Tensor> {
  const { grads } = tf.variableGrads(() => {
    const { au, identity } = losses(kind, lambda);
    return au.add(identity) as Scalar;
  }, [...detector.variables.values()]);
  return Object.fromEntries([...detector.variables].map(([name, variable]) => [name, grads[variable.name]!]));
}

describe("against PyTorch and timm", () => {
  it("the forward pass agrees", () => {
    const images = tensor("images") as Tensor4D;
    const pass = detector.forward(images, { training: false, lambda: 1, seed: 0 });
    for (const name of ["features", "auLogits", "identityLogits"] as const) {
      expect(largest(pass[name]!.dataSync(), value(name)), name).toBeLessThan(OUTPUT);
    }
  });

  it("the ONNX export agrees", async () => {
    const session = await InferenceSession.create(exportOnnx(config, withPrefix("parameter.")));
    const { shape } = fixture.get("images")!;
    const outputs = await session.run({ image: new OnnxTensor("float32", value("images"), [...shape]) });
    expect(largest(outputs.features!.data as Float32Array, value("features"))).toBeLessThan(OUTPUT);
    expect(largest(outputs.logits!.data as Float32Array, value("auLogits"))).toBeLessThan(OUTPUT);
    await session.release();
  });

  it.each([
    ["bce", 2],
    ["ce", 0.5],
  ] as const)("both losses and all gradients through the reversal agree (%s, lambda %d)", (kind, lambda) => {
    const { au, identity } = losses(kind, lambda);
    expect(largest(au.dataSync(), value(`${kind}.auLoss`))).toBeLessThan(OUTPUT);
    expect(largest(identity.dataSync(), value(`${kind}.identityLoss`))).toBeLessThan(OUTPUT);
    const own = gradients(kind, lambda);
    const expected = withPrefix(`${kind}.gradient.`);
    expect([...expected.keys()].sort()).toEqual(Object.keys(own).sort());
    for (const [name, { data }] of expected) {
      const actual = own[name]!.dataSync();
      const norm = Math.hypot(...data);
      const error = Math.hypot(...Array.from(actual, (each, i) => each - data[i]!));
      expect(error / norm, name).toBeLessThan(GRADIENT);
    }
  });

  it("the loss over all labels agrees when all are known", () => {
    const { auLogits } = detector.forward(tensor("images") as Tensor4D, { training: false, lambda: 1, seed: 0 });
    const loss = auLoss(tf, auLogits, tensor("occurrence").equal(1).cast("float32"));
    expect(largest(loss.dataSync(), value("auLossAllKnown"))).toBeLessThan(OUTPUT);
  });

  it("12 steps of AdamW with layer decay end at the same weights", () => {
    const groups = parameterGroups(config, { layerDecay: 0.65, weightDecay: 0.05 });
    const optimizer = createAdamW(tf, detector.variables, groups);
    for (let step = 0; step < 12; step++) tf.tidy(() => optimizer.step(gradients("bce", 2), 1e-3));
    const trained = detector.parameters();
    for (const [name, { data }] of withPrefix("trained.")) {
      const actual = trained.get(name)!.data;
      // Softmax cannot see the key's bias: its gradient is rounding noise, which Adam blows up.
      const seen = (i: number) => !name.endsWith("qkv.bias") || i < config.dim || i >= 2 * config.dim;
      const error = Math.max(...Array.from(actual, (each, i) => (seen(i) ? Math.abs(each - data[i]!) : 0)));
      expect(error, name).toBeLessThan(TRAINED);
    }
    optimizer.dispose();
  });
});
