import { join } from "node:path";
import { createRandom, type Dataset, openDataset, synthesizeDataset, synthesizePhotos } from "@duchenne/data";
import { macroAucOf } from "@duchenne/evaluation";
import type { TensorFlow } from "@duchenne/tensor";
import { fineTune, type ScoredFrames, scoreDetector } from "@duchenne/training";
import { planFineTune } from "@duchenne/training/recipes";
import { followTraining } from "../follow-training.ts";
import { hogBaseline } from "../hog-baseline.ts";
import { chooseHalves } from "./choose-halves.ts";
import { joinDatasets } from "./join-datasets.ts";
import type { RealPhotographs } from "./real-photographs.ts";
import type { TransferSettings } from "./settings.ts";

/** What is trained on. */
export const DIETS = ["rendered", "rendered and portraits"] as const;
/** What is trained on. */
export type Diet = (typeof DIETS)[number];
/** What is trained. */
export const LEARNERS = ["transformer", "gradient histograms"] as const;
/** What is trained. */
export type Learner = (typeof LEARNERS)[number];

/** Scores of all photographs, each from a model that has not seen its person. */
export interface TransferScores {
  readonly diet: Diet;
  readonly learner: Learner;
  readonly scored: ScoredFrames;
  /** Macro AUC on drawn people who were held out, by half. */
  readonly drawnAuc: readonly number[];
  readonly minutes: number;
}

/** How the experiment was made. */
export interface TransferRun {
  readonly scores: readonly TransferScores[];
  /** Files of the portraits that were warped, by half. */
  readonly warped: readonly (readonly string[])[];
  /** Frames that each training shows in an epoch, and how many of them are warped portraits, by half. */
  readonly trainFrames: number;
  readonly warpedFrames: readonly number[];
}

/**
 * Trains on drawn faces, and on as many frames of drawn faces and warped portraits; scores real photographs. Portraits
 * fall into two halves: what has seen one half scores the photographs of the other.
 */
export async function measureTransfer(
  tf: TensorFlow,
  { dataset: real, portraits }: RealPhotographs,
  folder: string,
  settings: TransferSettings,
): Promise<TransferRun> {
  await synthesizeDataset(join(folder, "rendered"), settings.rendered);
  const rendered = await openDataset(join(folder, "rendered"));
  const held = new Set(rendered.subjects.slice(-settings.heldOutSubjects));
  const framesOf = (isHeld: boolean) =>
    Uint32Array.from(rendered.samples.keys()).filter((i) => held.has(rendered.samples[i]!.subject) === isHeld);
  const [train, test] = [framesOf(false), framesOf(true)];
  const halves = chooseHalves(real.samples.length, (frame) => portraits.has(frame));
  const parts = new Map<string, { scored: ScoredFrames; photographs: readonly number[] }[]>();
  const drawnAuc = new Map<string, number[]>();
  const minutes = new Map<string, number>();
  const warped: string[][] = [];
  const warpedFrames: number[] = [];
  for (const [half, { warped: frames, scored: photographs }] of halves.entries()) {
    const seen = frames.map((frame) => portraits.get(frame)!);
    await synthesizePhotos(join(folder, `portraits-${half}`), seen, settings.portraits);
    const photos = await openDataset(join(folder, `portraits-${half}`));
    const all = joinDatasets([rendered, photos, real]);
    const firstReal = rendered.samples.length + photos.samples.length;
    const scoredFrames = Uint32Array.from(photographs, (frame) => firstReal + frame);
    const order = createRandom([settings.seed + half, "transfer-diet"]).permutation(train.length);
    const ofPortraits = Uint32Array.from(photos.samples.keys(), (i) => rendered.samples.length + i);
    const kept = Uint32Array.from(order.subarray(0, train.length - ofPortraits.length), (i) => train[i]!);
    const diets = { rendered: train, "rendered and portraits": Uint32Array.from([...kept, ...ofPortraits]) };
    warped.push(seen.map(({ file }) => file));
    warpedFrames.push(ofPortraits.length);
    for (const learner of LEARNERS) {
      for (const diet of DIETS) {
        const begin = performance.now();
        const name = `${learner}, ${diet}, half ${half + 1}`;
        const task = { dataset: all, train: diets[diet], test, photographs: scoredFrames };
        const answer =
          learner === "transformer"
            ? await trainTransformer(tf, name, task, settings, settings.seed + half)
            : await trainHistograms(tf, task, settings);
        const key = `${learner}/${diet}`;
        const push = <T>(map: Map<string, T[]>, value: T) => map.set(key, [...(map.get(key) ?? []), value]);
        push(parts, { scored: answer.photographs, photographs });
        push(drawnAuc, macroAucOf(answer.drawn)(() => 1) ?? Number.NaN);
        minutes.set(key, (minutes.get(key) ?? 0) + (performance.now() - begin) / 60_000);
        process.stderr.write(`${name}: drawn faces AUC ${drawnAuc.get(key)!.at(-1)!.toFixed(3)}\n`);
      }
    }
  }
  const scores = LEARNERS.flatMap((learner) =>
    DIETS.map((diet) => {
      const key = `${learner}/${diet}`;
      const scored = joinScores(parts.get(key)!);
      return { diet, learner, scored, drawnAuc: drawnAuc.get(key)!, minutes: minutes.get(key)! };
    }),
  );
  return { scores, warped, warpedFrames, trainFrames: train.length };
}

interface Task {
  readonly dataset: Dataset;
  readonly train: Uint32Array;
  /** Drawn people who are not trained on. */
  readonly test: Uint32Array;
  readonly photographs: Uint32Array;
}

interface Answer {
  readonly drawn: ScoredFrames;
  readonly photographs: ScoredFrames;
}

async function trainTransformer(
  tf: TensorFlow,
  name: string,
  { dataset, train, test, photographs }: Task,
  { encoder, fineTune: lengths }: TransferSettings,
  seed: number,
): Promise<Answer> {
  const { signal } = new AbortController();
  const never = Number.MAX_SAFE_INTEGER;
  const plan = planFineTune(
    {
      lambda: 0,
      encoder: { ...encoder, dropPath: 0 },
      augmentation: "flip",
      // Only for the plan's form: the parts below take its place, and no epoch is chosen.
      split: { testFraction: 0.1, validationFraction: 0 },
      optimization: {
        ...lengths,
        keep: "last",
        seed,
        checkpointEverySteps: never,
        metricsEverySteps: never,
        gradientNormsEverySteps: 0,
      },
    },
    dataset,
  );
  const stepsPerEpoch = Math.floor(train.length / lengths.batchSize);
  const { result: model } = await followTraining(
    name,
    fineTune({
      tf,
      dataset,
      plan: {
        ...plan,
        parts: { train, validation: test, test },
        stepsPerEpoch,
        totalSteps: stepsPerEpoch * lengths.epochs,
      },
      signal,
    }),
  );
  const score = (samples: Uint32Array) => scoreDetector({ tf, model, dataset, samples, signal });
  return { drawn: await score(test), photographs: await score(photographs) };
}

async function trainHistograms(
  tf: TensorFlow,
  { dataset, train, test, photographs }: Task,
  { encoder }: TransferSettings,
): Promise<Answer> {
  const both = Uint32Array.from([...test, ...photographs]);
  const { imageSize } = encoder;
  const probabilities = await hogBaseline(tf, dataset, { train, test: both, imageSize });
  const units = dataset.actionUnits.length;
  const scoredOf = (samples: Uint32Array, from: number): ScoredFrames => ({
    actionUnits: dataset.actionUnits,
    probabilities: probabilities.slice(from * units, (from + samples.length) * units),
    occurrence: Int8Array.from(Array.from(samples, (i) => [...dataset.samples[i]!.occurrence]).flat()),
    subjects: Array.from(samples, (i) => dataset.samples[i]!.subject),
  });
  return { drawn: scoredOf(test, 0), photographs: scoredOf(photographs, test.length) };
}

/** Scores of both halves, in the order of the photographs. */
function joinScores(
  parts: readonly { readonly scored: ScoredFrames; readonly photographs: readonly number[] }[],
): ScoredFrames {
  const { actionUnits } = parts[0]!.scored;
  const units = actionUnits.length;
  const count = parts.reduce((sum, { photographs }) => sum + photographs.length, 0);
  const probabilities = new Float32Array(count * units);
  const occurrence = new Int8Array(count * units);
  const subjects: string[] = Array(count).fill("");
  for (const { scored, photographs } of parts) {
    for (const [i, frame] of photographs.entries()) {
      probabilities.set(scored.probabilities.subarray(i * units, (i + 1) * units), frame * units);
      occurrence.set(scored.occurrence.subarray(i * units, (i + 1) * units), frame * units);
      subjects[frame] = scored.subjects[i]!;
    }
  }
  return { actionUnits, probabilities, occurrence, subjects };
}
