import { join } from "node:path";
import { createRandom, type Dataset, openDataset, synthesizeDataset, synthesizePhotos } from "@duchenne/data";
import { macroAucOf } from "@duchenne/evaluation";
import type { SourceWeights } from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";
import { fineTune, type ScoredFrames, scoreDetector } from "@duchenne/training";
import { planFineTune } from "@duchenne/training/recipes";
import { followTraining } from "../follow-training.ts";
import { hogBaseline } from "../hog-baseline.ts";
import { pretrainEncoder } from "../pretrain-encoder.ts";
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
  /** Macro AUC on drawn people who were held out, by model. */
  readonly drawnAuc: readonly number[];
}

/** How the experiment was made. */
export interface TransferRun {
  readonly scores: readonly TransferScores[];
  /** Files of the portraits that were warped, by half. */
  readonly warped: readonly (readonly string[])[];
  /** Frames that each training shows in an epoch, and how many of them are warped portraits, by half. */
  readonly trainFrames: number;
  readonly warpedFrames: readonly number[];
  readonly minutes: number;
}

/**
 * Trains on drawn faces, and on as many frames of drawn faces and warped portraits; scores real photographs. What trains
 * on drawn faces alone scores all of them. Portraits fall into two halves: what has seen one half scores the photographs
 * of the other.
 */
export async function measureTransfer(
  tf: TensorFlow,
  photographs: RealPhotographs,
  folder: string,
  settings: TransferSettings,
): Promise<TransferRun> {
  const begin = performance.now();
  await synthesizeDataset(join(folder, "rendered"), settings.rendered);
  const rendered = await openDataset(join(folder, "rendered"));
  const held = new Set(rendered.subjects.slice(-settings.heldOutSubjects));
  const framesOf = (isHeld: boolean) =>
    Uint32Array.from(rendered.samples.keys()).filter((i) => held.has(rendered.samples[i]!.subject) === isHeld);
  const drawn = { rendered, train: framesOf(false), test: framesOf(true) };
  const samples = Array.from(drawn.train, (i) => rendered.samples[i]!);
  const initial = await pretrainEncoder(tf, { ...rendered, samples }, settings);
  const courses = await planCourses(drawn, photographs, folder, settings);
  const scores: TransferScores[] = [];
  for (const learner of LEARNERS) {
    for (const diet of DIETS) {
      const parts: { readonly scored: ScoredFrames; readonly photographs: readonly number[] }[] = [];
      const drawnAuc: number[] = [];
      for (const [which, course] of courses.filter((each) => each.diet === diet).entries()) {
        const name = `${learner}, ${diet}, ${which + 1}`;
        const answer =
          learner === "transformer"
            ? await trainTransformer(tf, name, course, { ...settings, initial, seed: settings.seed + which })
            : await trainHistograms(tf, course, settings);
        parts.push({ scored: answer.photographs, photographs: course.photographs });
        drawnAuc.push(macroAucOf(answer.drawn)(() => 1) ?? Number.NaN);
        process.stderr.write(`${name}: drawn faces AUC ${drawnAuc.at(-1)!.toFixed(3)}\n`);
      }
      scores.push({ diet, learner, scored: joinScores(parts), drawnAuc });
    }
  }
  const halves = courses.filter(({ warped }) => warped.files.length > 0);
  return {
    scores,
    warped: halves.map(({ warped }) => warped.files),
    warpedFrames: halves.map(({ warped }) => warped.frames),
    trainFrames: drawn.train.length,
    minutes: (performance.now() - begin) / 60_000,
  };
}

/** What one model is trained on, and what it scores then. */
interface Course {
  readonly diet: Diet;
  readonly dataset: Dataset;
  readonly train: Uint32Array;
  /** Drawn people who are not trained on. */
  readonly test: Uint32Array;
  /** Frames of the photographs' own data set. */
  readonly photographs: readonly number[];
  /** The first photograph's frame in `dataset`. */
  readonly firstPhotograph: number;
  readonly warped: { readonly files: readonly string[]; readonly frames: number };
}

async function planCourses(
  { rendered, train, test }: { readonly rendered: Dataset; readonly train: Uint32Array; readonly test: Uint32Array },
  { dataset: real, portraits }: RealPhotographs,
  folder: string,
  settings: TransferSettings,
): Promise<Course[]> {
  const courses: Course[] = [
    {
      diet: "rendered",
      dataset: joinDatasets([rendered, real]),
      train,
      test,
      photographs: [...real.samples.keys()],
      firstPhotograph: rendered.samples.length,
      warped: { files: [], frames: 0 },
    },
  ];
  const halves = chooseHalves(real.samples.length, (frame) => portraits.has(frame));
  for (const [half, { warped: frames, scored: photographs }] of halves.entries()) {
    const seen = frames.map((frame) => portraits.get(frame)!);
    await synthesizePhotos(join(folder, `portraits-${half}`), seen, settings.portraits);
    const photos = await openDataset(join(folder, `portraits-${half}`));
    const order = createRandom([settings.seed + half, "transfer-diet"]).permutation(train.length);
    const ofPortraits = Uint32Array.from(photos.samples.keys(), (i) => rendered.samples.length + i);
    const kept = Uint32Array.from(order.subarray(0, train.length - ofPortraits.length), (i) => train[i]!);
    courses.push({
      diet: "rendered and portraits",
      dataset: joinDatasets([rendered, photos, real]),
      train: Uint32Array.from([...kept, ...ofPortraits]),
      test,
      photographs,
      firstPhotograph: rendered.samples.length + photos.samples.length,
      warped: { files: seen.map(({ file }) => file), frames: ofPortraits.length },
    });
  }
  return courses;
}

function photographsIn({ photographs, firstPhotograph }: Course): Uint32Array {
  return Uint32Array.from(photographs, (frame) => firstPhotograph + frame);
}

interface Answer {
  readonly drawn: ScoredFrames;
  readonly photographs: ScoredFrames;
}

async function trainTransformer(
  tf: TensorFlow,
  name: string,
  course: Course,
  {
    encoder,
    fineTune: lengths,
    initial,
    seed,
  }: Pick<TransferSettings, "encoder" | "fineTune"> & { readonly initial: SourceWeights; readonly seed: number },
): Promise<Answer> {
  const { dataset, train, test } = course;
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
    initial.config,
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
      initial,
    }),
  );
  const score = (samples: Uint32Array) => scoreDetector({ tf, model, dataset, samples, signal });
  return { drawn: await score(test), photographs: await score(photographsIn(course)) };
}

async function trainHistograms(
  tf: TensorFlow,
  course: Course,
  { encoder }: Pick<TransferSettings, "encoder">,
): Promise<Answer> {
  const { dataset, train, test } = course;
  const photographs = photographsIn(course);
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
