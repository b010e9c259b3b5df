import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FACE_OVAL_CONVENTION } from "@duchenne/data";
import { createModelConfig, exportOnnx, initialiseParameters, type VitVariant } from "@duchenne/model";
import { createAuDetector } from "@duchenne/model/training";
import { loadTensorFlow } from "@duchenne/tensor";
import { createVisionEngine, type FoundImage, PLAIN_BATCHING } from "@duchenne/vision";
import { afterAll, beforeAll, expect, it } from "vitest";
import { labelledPhotographs, readPackaged } from "../faces/photographs.ts";

const ACTION_UNITS = [1, 2, 4, 12];
/** fp32 in two engines. */
const MAX_LOGIT_DIFFERENCE = 1e-4;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-served-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each<[VitVariant, number]>([
  ["micro", 8],
  ["tiny", 4],
])("%s: what is served, in batches across streams, is what the training engine answers", async (variant, count) => {
  const config = createModelConfig(variant, { actionUnits: ACTION_UNITS, numSubjects: 0, dropPath: 0 });
  const parameters = initialiseParameters(config, 5);
  const path = join(folder, `${variant}.onnx`);
  await writeFile(path, exportOnnx(config, parameters));
  const sizes: number[] = [];
  const batching = { ...PLAIN_BATCHING, maxBatchSize: 8 };
  const engine = createVisionEngine({ workers: 1, batching, onBatch: (size) => sizes.push(size) });
  const model = await engine.load({
    kind: "vit",
    path,
    imageSize: config.imageSize,
    description: "Not trained",
    actionUnits: ACTION_UNITS.map((actionUnit) => ({
      actionUnit,
      threshold: 0.5,
      thresholdOrigin: "convention",
      thresholdNote: "",
    })),
    boxConvention: FACE_OVAL_CONVENTION,
  });
  const { photographs } = await labelledPhotographs();
  const found: FoundImage[] = [];
  for (const photograph of photographs.slice(0, count)) {
    found.push(await model.find({ image: await readPackaged(photograph.path), maxFaces: 1, logits: true }));
  }
  const pixels = 3 * config.imageSize ** 2;
  const inputs = new Float32Array(found.length * pixels);
  // Copies: scoring hands its inputs over.
  const alone = found.map((each) => ({
    ...each,
    faces: each.faces.map((face) => ({ ...face, input: face.input.slice() })),
  }));
  for (const [i, { faces }] of found.entries()) inputs.set(faces[0]!.input, i * pixels);

  const logitsOf = async (each: FoundImage) => (await model.score(each)).faces[0]!.scores.map(({ logit }) => logit!);
  const together = await Promise.all(found.map(logitsOf));
  expect(sizes).toEqual([count]);
  const single: number[][] = [];
  for (const each of alone) single.push(await logitsOf(each));
  await engine.close();

  const tf = await loadTensorFlow();
  const detector = createAuDetector(tf, config, parameters);
  const { auLogits } = detector.forward(tf.tensor4d(inputs, [count, 3, config.imageSize, config.imageSize]), {
    training: false,
    lambda: 0,
    seed: 0,
  });
  const trained = (await auLogits.array()) as number[][];
  detector.dispose();
  const difference = (p: number[][], q: number[][]) =>
    Math.max(...p.flatMap((row, i) => row.map((value, unit) => Math.abs(value - q[i]![unit]!))));
  expect(difference(together, trained)).toBeLessThan(MAX_LOGIT_DIFFERENCE);
  expect(difference(single, trained)).toBeLessThan(MAX_LOGIT_DIFFERENCE);
  expect(new Set(trained.map((row) => row[0])).size).toBe(count);
});
