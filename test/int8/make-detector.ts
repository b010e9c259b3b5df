// Trains the detector that the tests of int8 quantise, and writes it in float16, beside this file:
//   node test/int8/make-detector.ts
// About nine minutes of one core; run it again only to change the fixture. It prints the macro AUC on people that neither the
// training nor the calibration sees; docs/int8.md has what it printed.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Dataset, openDataset } from "@duchenne/data";
import { macroAucOf } from "@duchenne/evaluation";
import type { ParameterSet, SourceWeights } from "@duchenne/model";
import { loadTensorFlow } from "@duchenne/tensor";
import { fineTune, scoreDetector } from "@duchenne/training";
import { planFineTune } from "@duchenne/training/recipes";
import { temporaryFolder } from "../e2e/server-process.ts";
import { renderFaces } from "../experiments/faces.ts";
import { followTraining } from "../experiments/follow-training.ts";
import { pretrainEncoder } from "../experiments/pretrain-encoder.ts";
import { ACTION_UNITS, TRAINING_FACES, UNSEEN_FACES } from "./faces.ts";

/** As the experiments train (docs/experiments.md), on fewer tokens and frames. */
const ENCODER = { variant: "micro", imageSize: TRAINING_FACES.imageSize, patchSize: 16 } as const;
const PRETRAINING = { epochs: 20, warmupEpochs: 1, batchSize: 32, accumulationSteps: 1, baseLearningRate: 6e-3 };
const FINE_TUNE = { epochs: 14, warmupEpochs: 1, batchSize: 32, baseLearningRate: 3e-2, layerDecay: 0.5 };

await using folder = await temporaryFolder();
const tf = await loadTensorFlow();
const { signal } = new AbortController();
const dataset = await openUnits((await renderFaces(folder.path, "training", TRAINING_FACES)).directory);
// The same frames: pretraining looks at no labels.
const initial = await pretrainEncoder(tf, dataset, { encoder: ENCODER, pretraining: PRETRAINING });
const { config, parameters } = await fineTuned(dataset, initial);

const rounded = new Map(
  [...parameters].map(([name, { shape, data }]) => [name, { shape, data: data.map(Math.f16round) }]),
);
const bytes = inHalves(rounded);
await writeFile(fileURLToPath(new URL("detector.safetensors", import.meta.url)), bytes);
const unseen = await openUnits((await renderFaces(folder.path, "unseen", UNSEEN_FACES)).directory);
const scored = await scoreDetector({
  tf,
  model: { config, parameters: rounded },
  dataset: unseen,
  samples: Uint32Array.from(unseen.samples.keys()),
  signal,
});
process.stdout.write(`${bytes.length} bytes; macro AUC on unseen people ${macroAucOf(scored)(() => 1)?.toFixed(4)}\n`);

/** A data set as if only these action units had been coded. */
async function openUnits(directory: string): Promise<Dataset> {
  const whole = await openDataset(directory);
  const places = ACTION_UNITS.map((actionUnit) => whole.actionUnits.indexOf(actionUnit));
  const samples = whole.samples.map(({ occurrence, intensity, ...sample }) => ({
    ...sample,
    occurrence: Int8Array.from(places, (place) => occurrence[place]!),
    intensity: Float32Array.from(places, (place) => intensity[place]!),
  }));
  return { ...whole, actionUnits: ACTION_UNITS, samples };
}

async function fineTuned(faces: Dataset, encoder: SourceWeights) {
  const plan = planFineTune(
    {
      lambda: 0,
      encoder: { ...ENCODER, dropPath: 0 },
      augmentation: "flip",
      // Only to see how it fares: nothing is chosen on it.
      split: { testFraction: 0.03, validationFraction: 0 },
      optimization: {
        ...FINE_TUNE,
        keep: "last",
        seed: 1,
        metricsEverySteps: Number.MAX_SAFE_INTEGER,
        checkpointEverySteps: Number.MAX_SAFE_INTEGER,
      },
    },
    faces,
    encoder.config,
  );
  const training = fineTune({ tf, dataset: faces, plan, signal, initial: encoder });
  return (await followTraining("detector", training)).result;
}

/** The safetensors format with F16: half of the bytes, and weights that are as good for a test. */
function inHalves(weights: ParameterSet): Uint8Array {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, { shape, data }] of weights) {
    header[name] = { dtype: "F16", shape, data_offsets: [end, end + 2 * data.length] };
    end += 2 * data.length;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const halves = [...weights.values()].map(({ data }) => Buffer.from(Float16Array.from(data).buffer));
  return Buffer.concat([length, json, ...halves]);
}
