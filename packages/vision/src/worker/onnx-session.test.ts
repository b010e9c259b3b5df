import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGraphBuilder } from "@duchenne/onnx";
import { InferenceSession } from "onnxruntime-node";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { openSession } from "./onnx-session.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-session-"));
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A model of the image's mean, under these outputs. */
async function modelFile(outputs: readonly string[]): Promise<string> {
  const graph = createGraphBuilder({ name: "mean", opset: 17 });
  const mean = graph.node("ReduceMean", [graph.input("image", ["B", 3, 8, 8])], { axes: [1, 2, 3], keepdims: 0 });
  const shape = graph.integers([-1, 1]);
  for (const output of outputs) {
    graph.node("Reshape", [mean, shape], {}, output);
    graph.output(output, ["B", 1]);
  }
  const path = join(folder, `${outputs.join("-")}.onnx`);
  await writeFile(path, graph.build());
  return path;
}

it.each([
  ["answers another number of logits", ["logits", "features"], { imageSize: 8, logits: 2 }, "Expected 2 logits"],
  ["fails when it is warmed", ["logits", "features"], { imageSize: 9, logits: 1 }, "Got invalid dimensions"],
  ["lacks an output", ["logits"], { imageSize: 8, logits: 1 }, "Expected the outputs logits and features, got logits"],
])("a session whose model %s is refused and released", async (_, outputs, warmUp, message) => {
  const create = vi.spyOn(InferenceSession, "create");
  await expect(openSession({ path: await modelFile(outputs), warmUp }, 1)).rejects.toThrow(message);
  const session = await create.mock.results[0]!.value;
  // ONNX Runtime's own word that nothing is left of it.
  await expect(session.release()).rejects.toThrow();
});

it("a session that is warm scores", async () => {
  const path = await modelFile(["logits", "features"]);
  const session = await openSession({ path, warmUp: { imageSize: 8, logits: 1 } }, 1);
  expect(session.outputNames).toEqual(["logits", "features"]);
  await session.release();
});
