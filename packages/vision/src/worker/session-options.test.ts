import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@duchenne/data";
import { createModelConfig, exportOnnx, initialiseParameters, linearLayers } from "@duchenne/model";
import { operatorsOf } from "@duchenne/onnx";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionOptions } from "./session-options.ts";

const config = createModelConfig("micro", { actionUnits: [1, 2, 12], numSubjects: 0, dropPath: 0, imageSize: 48 });
const parameters = initialiseParameters(config, 11);
const layers = linearLayers(config).map(({ name }) => name);
const float32 = exportOnnx(config, parameters);
const int8 = exportOnnx(config, parameters, { int8: new Map(layers.map((layer) => [layer, { min: -4, max: 4 }])) });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-session-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** How often each operator is in what ONNX Runtime makes of a model. */
async function optimized(onnx: Uint8Array): Promise<Partial<Record<string, number>>> {
  const optimizedModelFilePath = join(folder, "optimized.onnx");
  const session = await InferenceSession.create(onnx, { ...sessionOptions(1), optimizedModelFilePath });
  await session.release();
  const counts: Partial<Record<string, number>> = {};
  for (const operator of operatorsOf(await readFile(optimizedModelFilePath))) {
    counts[operator] = (counts[operator] ?? 0) + 1;
  }
  return counts;
}

describe("a session", () => {
  it("computes each GELU and the bias before it in one kernel, in float32 and in int8", async () => {
    expect(operatorsOf(float32).filter((operator) => operator === "Erf")).toHaveLength(config.depth);
    for (const model of [float32, int8]) {
      const operators = await optimized(model);
      expect(operators.BiasGelu).toBe(config.depth);
      expect(operators).not.toHaveProperty("Erf");
    }
  });

  it("computes every linear layer in int8 in ONNX Runtime's integer kernel", async () => {
    const operators = await optimized(int8);
    expect(operators).toMatchObject({ MatMulIntegerToFloat: layers.length, QuantizeLinear: layers.length });
    expect(operators).not.toHaveProperty("DequantizeLinear");
  });

  it("adds up the same on processors without VNNI, whose own instruction would cut sums off", async () => {
    const precise = { extra: { session: { x64quantprecision: "1" } } };
    expect(sessionOptions(1, new Set(["avx2", "avx512f"]))).toMatchObject(precise);
    for (const flag of ["avx512_vnni", "avx_vnni", "amx_int8"]) {
      expect(sessionOptions(1, new Set(["avx2", flag]))).not.toHaveProperty("extra");
    }
    const random = createRandom(["images"]);
    const images = Float32Array.from({ length: 4 * 3 * config.imageSize ** 2 }, () => random.normal());
    const feeds = { image: new Tensor("float32", images, [4, 3, config.imageSize, config.imageSize]) };
    const logits = [sessionOptions(1), { ...sessionOptions(1), ...precise }].map(async (options) => {
      const session = await InferenceSession.create(int8, options);
      const outputs = await session.run(feeds);
      await session.release();
      return outputs.logits!.data as Float32Array;
    });
    const [own, exact] = await Promise.all(logits);
    for (const [i, logit] of own!.entries()) expect(Math.abs(exact![i]! - logit)).toBeLessThan(1e-5);
  });
});
