import { createRandom } from "./random.ts";

/** Two disjoint lists of sample indices, each ascending. */
export interface Split {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

/** What a split needs to know of a data set. */
export interface SplitSource {
  readonly subjects: readonly string[];
  readonly samples: readonly { readonly subjectIndex: number }[];
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
 * @throws {RangeError} when there are fewer than two subjects
 */
export function splitBySubject(dataset: SplitSource, { testFraction, seed }: SplitOptions): Split {
  const count = dataset.subjects.length;
  if (count < 2) throw new RangeError(`Expected at least 2 subjects to split by, got ${count}`);
  const held = Math.min(Math.max(Math.round(testFraction * count), 1), count - 1);
  const test = new Set(createRandom([seed, "split-by-subject"]).permutation(count).subarray(0, held));
  return partition(dataset.samples, (sample) => test.has(sample.subjectIndex));
}

/**
 * Holds out a share of each subject's frames, so that every subject is in both parts (the identity probe's split).
 * A subject with one frame stays in the training part.
 */
export function splitWithinSubject(dataset: SplitSource, { testFraction, seed }: SplitOptions): Split {
  const bySubject = dataset.subjects.map((): number[] => []);
  for (const [index, sample] of dataset.samples.entries()) bySubject[sample.subjectIndex]!.push(index);
  const test = new Set<number>();
  for (const [subject, indices] of bySubject.entries()) {
    if (indices.length < 2) continue;
    const held = Math.min(Math.max(Math.round(testFraction * indices.length), 1), indices.length - 1);
    const order = createRandom([seed, "split-within-subject", dataset.subjects[subject]!]).permutation(indices.length);
    for (const i of order.subarray(0, held)) test.add(indices[i]!);
  }
  return partition(dataset.samples, (_, index) => test.has(index));
}

function partition<T>(samples: readonly T[], isTest: (sample: T, index: number) => boolean): Split {
  const train: number[] = [];
  const test: number[] = [];
  for (const [index, sample] of samples.entries()) (isTest(sample, index) ? test : train).push(index);
  return { train: Uint32Array.from(train), test: Uint32Array.from(test) };
}
