import { comparePaired, macroAucOf } from "@duchenne/evaluation";
import { loadTensorFlow } from "@duchenne/tensor";
import { afterAll, expect, it } from "vitest";
import { drawFaces } from "../test-fixtures/drawn-faces.ts";
import { runTraining } from "../test-fixtures/run-training.ts";
import { fineTune, scoreDetector } from "./index.ts";
import { planFineTune } from "./recipes/index.ts";

const [tf, faces] = [await loadTensorFlow(), await drawFaces()];
afterAll(() => faces.remove());

it("a trained detector scores the test part as its training did", async () => {
  const { dataset } = faces;
  const plan = planFineTune(
    {
      encoder: { variant: "micro" },
      lambda: 0,
      augmentation: "flip",
      split: { testFraction: 0.5, validationFraction: 0 },
      optimization: { epochs: 1, warmupEpochs: 0, batchSize: 8, keep: "last" },
    },
    dataset,
  );
  const { result } = await runTraining((signal) => fineTune({ tf, dataset, plan, signal }));
  const { signal } = new AbortController();
  const scored = await scoreDetector({ tf, model: result!, dataset, samples: plan.parts.test, signal });
  expect(scored.subjects).toEqual(Array.from(plan.parts.test, (sample) => dataset.samples[sample]!.subject));
  const figure = macroAucOf(scored);
  const { before } = comparePaired([{ subjects: scored.subjects, before: figure, after: figure }], {
    resamples: 0,
    seed: 0,
  });
  expect(before.value).toBe(result!.metrics["test/macroAuc"]!.value);
});
