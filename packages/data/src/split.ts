import type { Partition } from "./dataset.ts";
import { type FoldSource, framesPerSubject, subjectsOfFold } from "./folds.ts";
import { createRandom } from "./random.ts";
import { EmptySplitError, NoPartitionError, TooFewFramesError, TooFewSubjectsError } from "./split-errors.ts";

/** Disjoint lists of sample indices, each ascending. */
export interface Split {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

/** A split with a part to choose thresholds and epochs on, so that the test part stays unseen. */
export interface ValidatedSplit extends Split {
  readonly validation: Uint32Array;
}

/** What a split needs to know of a data set. */
export interface SplitSource extends FoldSource {
  readonly folds?: readonly (readonly string[])[];
}

/** How much to hold out, and the seed of the draw. */
export interface SplitOptions {
  /** Share to hold out, in 0..1 (exclusive). */
  readonly testFraction: number;
  readonly seed: number;
}

/**
 * Holds out whole subjects: no subject is in both parts. At least one subject stands in each part.
 *
 * @throws {TooFewSubjectsError} when there are fewer than two subjects with frames
 */
export function splitBySubject(dataset: FoldSource, { testFraction, seed }: SplitOptions): Split {
  const test = drawSubjects(dataset, dataset.samples.keys(), testFraction, [seed, "split-by-subject"]);
  return partition(dataset.samples, ({ subjectIndex }) => (test.has(subjectIndex) ? "test" : "train"));
}

/**
 * Tests on one fold and trains on all others, as BP4D, BP4D+ and DISFA are reported.
 *
 * @param options the fold's number, from 1, and folds to use instead of the data set's own
 * @throws {NoFoldsError} @throws {FoldOutOfRangeError} @throws {RepeatedFoldSubjectError}
 * @throws {UnknownFoldSubjectError} @throws {SubjectWithoutFoldError} @throws {EmptySplitError}
 */
export function splitByFold(
  dataset: SplitSource,
  { fold, folds = dataset.folds }: { readonly fold: number; readonly folds?: SplitSource["folds"] | undefined },
): Split {
  const held = subjectsOfFold(dataset, folds, fold);
  return withoutEmptyPart(
    partition(dataset.samples, ({ subjectIndex }) => (held.has(dataset.subjects[subjectIndex]!) ? "test" : "train")),
  );
}

/**
 * Trains and tests on the parts that the data set's publisher drew (RAF-DB, AffectNet).
 *
 * @throws {NoPartitionError} @throws {EmptySplitError}
 */
export function splitByPartition(dataset: {
  readonly samples: readonly { readonly imagePath: string; readonly partition?: Partition }[];
}): Split {
  return withoutEmptyPart(
    partition(dataset.samples, ({ imagePath, partition: part }) => {
      if (part === undefined) throw new NoPartitionError(imagePath);
      return part;
    }),
  );
}

/**
 * Takes a validation part out of a split's training part: whole subjects, or single frames in a data set without
 * subjects (RAF-DB), where nothing says who is shown.
 *
 * @throws {TooFewSubjectsError} when the training part has fewer than two subjects
 * @throws {EmptySplitError} without subjects, when the training part has fewer than two frames
 */
export function holdOutValidation(
  dataset: FoldSource,
  { train, test }: Split,
  { validationFraction, seed }: { readonly validationFraction: number; readonly seed: number },
): ValidatedSplit {
  const stream = [seed, "hold-out-validation"];
  let isValidation: (index: number) => boolean;
  if (dataset.subjects.length === 0) {
    if (train.length < 2) throw new EmptySplitError(train.length === 0 ? "training" : "validation");
    const order = createRandom(stream).permutation(train.length);
    const held = new Set(Array.from(order.subarray(0, heldCount(validationFraction, train.length)), (i) => train[i]!));
    isValidation = (index) => held.has(index);
  } else {
    const held = drawSubjects(dataset, train, validationFraction, stream);
    isValidation = (index) => held.has(dataset.samples[index]!.subjectIndex);
  }
  return { train: train.filter((index) => !isValidation(index)), validation: train.filter(isValidation), test };
}

/**
 * Holds out a share of each subject's frames, so that every subject is in both parts (the identity probe's split).
 * A subject with one frame stays in the training part, one without frames in neither.
 *
 * @param options with `framesPerSubject`, only so many frames of each subject are drawn; the others are in neither part.
 *   The published probe draws 100, of which 30 are held out.
 * @throws {TooFewFramesError} when a subject has some frames, but fewer than `framesPerSubject`: a probe on uneven
 *   numbers would not measure what its name says
 */
export function splitWithinSubject(
  dataset: FoldSource,
  { testFraction, seed, framesPerSubject: drawn }: SplitOptions & { readonly framesPerSubject?: number | undefined },
): Split {
  const bySubject = dataset.subjects.map((): number[] => []);
  for (const [index, sample] of dataset.samples.entries()) bySubject[sample.subjectIndex]?.push(index);
  if (drawn !== undefined) {
    const tooFew = [...bySubject.entries()].filter(([, { length }]) => length > 0 && length < drawn);
    if (tooFew.length > 0) {
      throw new TooFewFramesError(drawn, new Map(tooFew.map(([i, { length }]) => [dataset.subjects[i]!, length])));
    }
  }
  const parts = new Map<number, Partition>();
  for (const [subject, indices] of bySubject.entries()) {
    const count = drawn ?? indices.length;
    const held = indices.length < 2 ? 0 : heldCount(testFraction, count);
    const order = createRandom([seed, "split-within-subject", dataset.subjects[subject]!]).permutation(indices.length);
    for (const [place, i] of order.subarray(0, count).entries()) {
      parts.set(indices[i]!, place < held ? "test" : "train");
    }
  }
  return partition(dataset.samples, (_, index) => parts.get(index));
}

/** Draws some of the subjects that occur in `frames`, at least one and not all. */
function drawSubjects(
  dataset: FoldSource,
  frames: Iterable<number>,
  fraction: number,
  stream: readonly (number | string)[],
): ReadonlySet<number> {
  const samples = Array.from(frames, (index) => dataset.samples[index]!);
  const occurring = framesPerSubject({ subjects: dataset.subjects, samples });
  const present = [...dataset.subjects.keys()].filter((subject) => occurring[subject]! > 0);
  if (present.length < 2) throw new TooFewSubjectsError(2, present.length);
  const order = createRandom(stream).permutation(present.length);
  return new Set(Array.from(order.subarray(0, heldCount(fraction, present.length)), (i) => present[i]!));
}

/** How many of `count` a share is, but at least one and not all. */
function heldCount(fraction: number, count: number): number {
  return Math.min(Math.max(Math.round(fraction * count), 1), count - 1);
}

/** Samples that belong to neither part are left out. */
function partition<T>(samples: readonly T[], partOf: (sample: T, index: number) => Partition | undefined): Split {
  const parts = { train: [] as number[], test: [] as number[] };
  for (const [index, sample] of samples.entries()) {
    const part = partOf(sample, index);
    if (part !== undefined) parts[part].push(index);
  }
  return { train: Uint32Array.from(parts.train), test: Uint32Array.from(parts.test) };
}

function withoutEmptyPart(split: Split): Split {
  if (split.train.length === 0) throw new EmptySplitError("training");
  if (split.test.length === 0) throw new EmptySplitError("test");
  return split;
}
