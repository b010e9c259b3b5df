import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGraphBuilder } from "@duchenne/onnx";
import { expect, it } from "vitest";
import type { ScoreResult, ScoreTask } from "./task.ts";
import { WorkerPool } from "./worker-pool.ts";

it("a worker that replaced another and could not load a model tries again with the next batch", async () => {
  const folder = await mkdtemp(join(tmpdir(), "duchenne-scorer-"));
  const path = join(folder, "mean.onnx");
  const pool = new WorkerPool<ScoreTask>(new URL("./score-worker.ts", import.meta.url), 1, { threads: 1 });
  const score = () => pool.run({ kind: "score", model: 1, images: [new Float32Array(3 * 8 * 8).fill(2)], count: 1 });
  await expect(score()).rejects.toThrow("Model 1 is not loaded");
  await expect(pool.run({ kind: "load", model: 1, source: { path } })).rejects.toThrow("mean.onnx");
  await expect(score()).rejects.toThrow("mean.onnx");
  const graph = createGraphBuilder({ name: "mean", opset: 17 });
  const mean = graph.node("ReduceMean", [graph.input("image", ["B", 3, 8, 8])], { axes: [1, 2, 3], keepdims: 0 });
  for (const output of ["logits", "features"]) {
    graph.node("Reshape", [mean, graph.integers([-1, 1])], {}, output);
    graph.output(output, ["B", 1]);
  }
  await writeFile(path, graph.build());
  const { logits } = (await score()) as ScoreResult;
  expect([...logits]).toEqual([2]);
  await pool.close();
  await rm(folder, { recursive: true });
});
