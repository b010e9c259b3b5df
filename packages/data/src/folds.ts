import { createRandom } from "./random.ts";
import {
  FoldOutOfRangeError,
  NoFoldsError,
  RepeatedFoldSubjectError,
  type SplitError,
  SubjectWithoutFoldError,
  TooFewSubjectsError,
  UnknownFoldSubjectError,
} from "./split-errors.ts";

/** What folds need to know of a data set. */
export interface FoldSource {
  readonly subjects: readonly string[];
  readonly samples: readonly { readonly subjectIndex: number }[];
}

/** Frames of each subject; subjects of a published vocabulary may have none. */
export function framesPerSubject({ subjects, samples }: FoldSource): Uint32Array {
  const frames = new Uint32Array(subjects.length);
  for (const { subjectIndex } of samples) if (subjectIndex >= 0) frames[subjectIndex]!++;
  return frames;
}

/** What is wrong with folds: a subject in two, one that is unknown, one with frames in none. Empty when all is well. */
export function foldErrors(source: FoldSource, folds: readonly (readonly string[])[]): SplitError[] {
  const errors: SplitError[] = [];
  const foldOf = new Map<string, number>();
  const known = new Set(source.subjects);
  for (const [index, subjects] of folds.entries()) {
    const fold = index + 1;
    for (const subject of subjects) {
      const earlier = foldOf.get(subject);
      if (earlier !== undefined) errors.push(new RepeatedFoldSubjectError(subject, earlier, fold));
      else if (!known.has(subject)) errors.push(new UnknownFoldSubjectError(subject, fold));
      foldOf.set(subject, fold);
    }
  }
  const frames = framesPerSubject(source);
  for (const [index, subject] of source.subjects.entries()) {
    if (frames[index]! > 0 && !foldOf.has(subject)) errors.push(new SubjectWithoutFoldError(subject));
  }
  return errors;
}

/**
 * The subjects of one fold, after all folds were checked.
 *
 * @param fold from 1
 * @throws {NoFoldsError} @throws {FoldOutOfRangeError} @throws {RepeatedFoldSubjectError}
 * @throws {UnknownFoldSubjectError} @throws {SubjectWithoutFoldError}
 */
export function subjectsOfFold(
  source: FoldSource,
  folds: readonly (readonly string[])[] | undefined,
  fold: number,
): ReadonlySet<string> {
  if (folds === undefined || folds.length === 0) throw new NoFoldsError();
  const [error] = foldErrors(source, folds);
  if (error !== undefined) throw error;
  const subjects = Number.isInteger(fold) ? folds[fold - 1] : undefined;
  if (subjects === undefined) throw new FoldOutOfRangeError(fold, folds.length);
  return new Set(subjects);
}

/**
 * Draws folds of whole subjects. The numbers of subjects differ by at most one; to keep the frames even as well, each
 * round deals one subject a fold, the one with most frames to the fold with fewest. Subjects without frames are left out.
 *
 * @throws {TooFewSubjectsError} when there are fewer subjects with frames than folds
 * @throws {RangeError} when fewer than two folds are asked for
 */
export function drawFolds(
  source: FoldSource,
  { folds: count, seed }: { readonly folds: number; readonly seed: number },
): string[][] {
  if (!Number.isInteger(count) || count < 2) throw new RangeError(`Expected at least 2 folds, got ${count}`);
  const frames = framesPerSubject(source);
  const present = [...source.subjects.keys()].filter((subject) => frames[subject]! > 0);
  if (present.length < count) throw new TooFewSubjectsError(count, present.length);
  const order = Array.from(createRandom([seed, "draw-folds", count]).permutation(present.length), (i) => present[i]!);
  const folds = Array.from({ length: count }, () => ({ subjects: [] as string[], frames: 0 }));
  for (let from = 0; from < order.length; from += count) {
    const dealt = order.slice(from, from + count).sort((a, b) => frames[b]! - frames[a]!);
    const receivers = folds.toSorted((a, b) => a.frames - b.frames);
    for (const [i, subject] of dealt.entries()) {
      receivers[i]!.subjects.push(source.subjects[subject]!);
      receivers[i]!.frames += frames[subject]!;
    }
  }
  return folds.map(({ subjects }) => subjects);
}
