import {
  createSyntheticFrame,
  createSyntheticSubject,
  frameWith,
  type RgbImage,
  renderLabelledFace,
  renderSequence,
  SYNTHFACS_ACTION_UNITS,
  type SyntheticFrame,
  type SyntheticSubject,
} from "@duchenne/data";
import type { AuModel, DetectedFace } from "@duchenne/vision";
import sharp from "sharp";
import { scoreOf } from "./confusion-report.ts";

/** Side of the pictures with head and shoulders, in pixels. */
const SIZE = 256;
/** How MediaPipe's blendshape follows a SynthFACS intensity. */
export interface Agreement {
  /** Pearson's correlation over intensities 0..5: of all subjects together, and the mean of each subject's own. */
  readonly pooled: number;
  readonly withinSubjects: number;
  /** Mean score at intensity 0 and at intensity 5. */
  readonly atRest: number;
  readonly atMost: number;
}

interface Pair {
  readonly intensity: number;
  readonly score: number;
}

/**
 * Scores an action unit alone, at intensities 0..5, on new subjects that look into the camera. The built-in model answers
 * MediaPipe's blendshapes under the numbers of action units.
 */
export async function blendshapeAgreement(
  model: AuModel,
  actionUnit: number,
  { seed, subjects }: { readonly seed: number; readonly subjects: number },
): Promise<Agreement> {
  const bySubject: Pair[][] = [];
  for (let s = 0; s < subjects; s++) {
    const subject = createSyntheticSubject(seed, s, 0);
    const pairs: Pair[] = [];
    for (let intensity = 0; intensity <= 5; intensity++) {
      const shown = frameWith({ [actionUnit]: intensity, ...(actionUnit === 26 ? { 25: intensity } : {}) });
      const score = scoreOf(await faceOf(model, subject, shown), actionUnit);
      if (score !== undefined) pairs.push({ intensity, score });
    }
    bySubject.push(pairs);
  }
  const all = bySubject.flat();
  const meanAt = (chosen: number) =>
    mean(all.filter(({ intensity }) => intensity === chosen).map(({ score }) => score));
  return {
    pooled: pearson(all),
    withinSubjects: mean(bySubject.map(pearson)),
    atRest: meanAt(0),
    atMost: meanAt(5),
  };
}

/** Share of frames of a data set's kind, all poses and lights, on which a face is found. */
export async function foundShare(model: AuModel, seed: number, subjects: number, frames: number): Promise<number> {
  let found = 0;
  for (let s = 0; s < subjects; s++) {
    const subject = createSyntheticSubject(seed, s, 0);
    for (let f = 0; f < frames; f++) {
      if ((await faceOf(model, subject, createSyntheticFrame(seed, subject, f))) !== undefined) found++;
    }
  }
  return found / (subjects * frames);
}

/**
 * How the scores of some action units follow a spoken sequence of one subject in time: Pearson's correlation over its
 * frames, by action unit; and how many frames show a face.
 */
export async function sequenceAgreement(
  model: AuModel,
  actionUnits: readonly number[],
  { seed, frames, frameRateHz }: { readonly seed: number; readonly frames: number; readonly frameRateHz: number },
): Promise<{ readonly found: number; readonly correlations: ReadonlyMap<number, number> }> {
  const subject = createSyntheticSubject(seed, 0, 0);
  const options = { seed, index: 0, frames, frameRateHz, speech: true, size: SIZE, framing: "portrait" } as const;
  const seen: { readonly drawn: SyntheticFrame; readonly face: DetectedFace }[] = [];
  for await (const { drawn, face: rendered } of renderSequence(subject, options)) {
    const face = await detect(model, rendered.image);
    if (face !== undefined) seen.push({ drawn, face });
  }
  const pairsOf = (number: number) =>
    seen.map(({ drawn, face }) => ({
      intensity: drawn.intensities[SYNTHFACS_ACTION_UNITS.indexOf(number)]!,
      score: scoreOf(face, number) ?? 0,
    }));
  return {
    found: seen.length,
    correlations: new Map(actionUnits.map((number) => [number, pearson(pairsOf(number))])),
  };
}

async function faceOf(
  model: AuModel,
  subject: SyntheticSubject,
  frame: SyntheticFrame,
): Promise<DetectedFace | undefined> {
  const { image } = await renderLabelledFace(subject, frame, { size: SIZE, framing: "portrait", noiseSeed: [0] });
  return detect(model, image);
}

async function detect(model: AuModel, image: RgbImage): Promise<DetectedFace | undefined> {
  return (await model.run({ image: await pngOf(image), maxFaces: 1 })).faces[0];
}

async function pngOf({ data, width, height }: RgbImage): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function pearson(pairs: readonly Pair[]): number {
  const x = mean(pairs.map(({ intensity }) => intensity));
  const y = mean(pairs.map(({ score }) => score));
  const xy = pairs.reduce((sum, pair) => sum + (pair.intensity - x) * (pair.score - y), 0);
  const xx = pairs.reduce((sum, pair) => sum + (pair.intensity - x) ** 2, 0);
  const yy = pairs.reduce((sum, pair) => sum + (pair.score - y) ** 2, 0);
  return yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
}
