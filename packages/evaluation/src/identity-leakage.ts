import { splitWithinSubject } from "@duchenne/data";
import type { Bootstrap } from "./bootstrap.ts";
import type { Estimate } from "./report.ts";

/** How well a linear probe names the subject. */
export interface IdentityLeakage {
  readonly accuracy: Estimate;
  /** 1 / subjects: what guessing reaches. */
  readonly chance: number;
  /** Subjects with frames in the test part. */
  readonly subjects: number;
  readonly trainFrames: number;
  readonly testFrames: number;
}

/** Frames of each subject that the probe is tested on. */
const TEST_FRACTION = 0.3;
/** Ridge penalty a training frame, on standardised features. */
const RIDGE = 1e-2;

/**
 * Trains a linear probe to name the subject from frozen features, on 70 % of each subject's frames, and tests it on the
 * others. The probe is a ridge regression onto one-hot subjects (Hoerl and Kennard 1970): it has one solution, so the
 * figure does not depend on how long somebody trained. Undefined with fewer than two subjects of two frames.
 *
 * @param features [N * D]
 * @param bootstrap of the frames' subjects
 */
export function identityLeakage(
  features: Float32Array,
  { units, estimate }: Bootstrap,
  seed: number,
): IdentityLeakage | undefined {
  const { subjects, owners } = units;
  const dim = features.length / owners.length;
  const samples = Array.from(owners, (subjectIndex) => ({ subjectIndex }));
  const { train, test } = splitWithinSubject({ subjects, samples }, { testFraction: TEST_FRACTION, seed });
  const tested = new Set(Array.from(test, (i) => owners[i]!)).size;
  if (tested < 2) return undefined;
  const rows = standardised(features, dim, train);
  const weights = ridge(rows, train, owners, subjects.length, dim + 1);
  const correct = new Float64Array(subjects.length);
  const total = new Float64Array(subjects.length);
  for (const i of test) {
    const subject = owners[i]!;
    total[subject]!++;
    if (classify(rows, i, weights, subjects.length, dim + 1) === subject) correct[subject]!++;
  }
  const [accuracy] = estimate((drawn) => {
    let right = 0;
    let all = 0;
    for (const [subject, weight] of drawn.entries()) {
      right += weight * correct[subject]!;
      all += weight * total[subject]!;
    }
    return [all === 0 ? undefined : right / all];
  }) as [Estimate];
  return {
    accuracy,
    chance: 1 / tested,
    subjects: tested,
    trainFrames: train.length,
    testFrames: test.length,
  };
}

/** Features to mean 0 and variance 1 on the training part, and a constant: [N, D + 1]. */
function standardised(features: Float32Array, dim: number, train: Uint32Array): Float64Array {
  const count = features.length / dim;
  const rows = new Float64Array(count * (dim + 1)).fill(1);
  for (let d = 0; d < dim; d++) {
    let sum = 0;
    let squares = 0;
    for (const i of train) {
      const value = features[i * dim + d]!;
      sum += value;
      squares += value * value;
    }
    const mean = sum / train.length;
    const variance = Math.max(squares / train.length - mean * mean, 0);
    const scale = variance < 1e-12 ? 0 : 1 / Math.sqrt(variance);
    for (let i = 0; i < count; i++) rows[i * (dim + 1) + d] = (features[i * dim + d]! - mean) * scale;
  }
  return rows;
}

/** Solves (X'X + penalty I) W = X'Y by a Cholesky factorisation; W is [width, S]. */
function ridge(
  rows: Float64Array,
  train: Uint32Array,
  owners: Int32Array,
  subjects: number,
  width: number,
): Float64Array {
  const gram = new Float64Array(width * width);
  const right = new Float64Array(width * subjects);
  for (const i of train) {
    const row = rows.subarray(i * width, (i + 1) * width);
    const subject = owners[i]!;
    for (let a = 0; a < width; a++) {
      const value = row[a]!;
      for (let b = 0; b <= a; b++) gram[a * width + b]! += value * row[b]!;
      right[a * subjects + subject]! += value;
    }
  }
  for (let a = 0; a < width; a++) gram[a * width + a]! += RIDGE * train.length;
  for (let a = 0; a < width; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = gram[a * width + b]!;
      for (let c = 0; c < b; c++) sum -= gram[a * width + c]! * gram[b * width + c]!;
      gram[a * width + b] = a === b ? Math.sqrt(sum) : sum / gram[b * width + b]!;
    }
  }
  for (let s = 0; s < subjects; s++) {
    for (let a = 0; a < width; a++) {
      let sum = right[a * subjects + s]!;
      for (let c = 0; c < a; c++) sum -= gram[a * width + c]! * right[c * subjects + s]!;
      right[a * subjects + s] = sum / gram[a * width + a]!;
    }
    for (let a = width - 1; a >= 0; a--) {
      let sum = right[a * subjects + s]!;
      for (let c = a + 1; c < width; c++) sum -= gram[c * width + a]! * right[c * subjects + s]!;
      right[a * subjects + s] = sum / gram[a * width + a]!;
    }
  }
  return right;
}

function classify(rows: Float64Array, i: number, weights: Float64Array, subjects: number, width: number): number {
  let best = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let s = 0; s < subjects; s++) {
    let score = 0;
    for (let a = 0; a < width; a++) score += rows[i * width + a]! * weights[a * subjects + s]!;
    if (score > bestScore) {
      best = s;
      bestScore = score;
    }
  }
  return best;
}
