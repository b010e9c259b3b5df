import { pairCount, pairPlace, readRow } from "./pairs.ts";
import type { TakeTurns } from "./turns.ts";

/** Squared Euclidean distances of points [N * D], one a pair. */
export async function squaredDistances(
  features: Float32Array,
  points: number,
  turns: TakeTurns,
): Promise<Float32Array> {
  const dim = features.length / points;
  const distances = new Float32Array(pairCount(points));
  for (let first = 0, place = 0; first < points; first++) {
    await turns();
    for (let second = first + 1; second < points; second++, place++) {
      distances[place] = squaredDistance(features, first * dim, second * dim, dim);
    }
  }
  return distances;
}

function squaredDistance(features: Float32Array, a: number, b: number, dim: number): number {
  let sum = 0;
  for (let d = 0; d < dim; d++) {
    const difference = features[a + d]! - features[b + d]!;
    sum += difference * difference;
  }
  return sum;
}

/** How near, in nats, the entropy comes to that of the perplexity; scikit-learn's. */
const ENTROPY_TOLERANCE = 1e-5;
const MAX_ROUNDS = 200;

/**
 * How probable it is that a point picks each other one as its neighbour (van der Maaten and Hinton 2008, eq. 1), its
 * Gaussian as wide as gives the perplexity, found by bisection. Where more points than the perplexity are equally near, no
 * width does: then those share what there is, and the perplexity is larger.
 *
 * @param distances N squared distances
 * @param probabilities gets N; 0 with itself
 * @returns the perplexity that was reached
 */
export function conditionalProbabilities(
  distances: Float64Array,
  point: number,
  perplexity: number,
  probabilities: Float64Array,
): number {
  const target = Math.log(perplexity);
  const { nearest, mean } = nearestAndMean(distances, point);
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  let precision = mean > nearest ? 1 / (mean - nearest) : 1;
  let [total, entropy] = [0, 0];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let moment = 0;
    total = 0;
    for (let other = 0; other < distances.length; other++) {
      // Less the nearest: of large distances alone every exponential would be 0.
      const distance = distances[other]! - nearest;
      const weight = other === point ? 0 : Math.exp(-precision * distance);
      probabilities[other] = weight;
      total += weight;
      moment += weight * distance;
    }
    entropy = Math.log(total) + (precision * moment) / total;
    if (Math.abs(entropy - target) < ENTROPY_TOLERANCE) break;
    if (entropy > target) low = precision;
    else high = precision;
    precision = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2;
  }
  for (let other = 0; other < distances.length; other++) probabilities[other]! /= total;
  return Math.exp(entropy);
}

function nearestAndMean(distances: Float64Array, point: number): { nearest: number; mean: number } {
  let nearest = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let other = 0; other < distances.length; other++) {
    if (other === point) continue;
    const distance = distances[other]!;
    sum += distance;
    if (distance < nearest) nearest = distance;
  }
  return { nearest, mean: sum / (distances.length - 1) };
}

/** How probable pairs are, and of how many points the perplexity could not be reached. */
export interface JointProbabilities {
  /** One a pair; twice their sum is 1. */
  readonly probabilities: Float32Array;
  readonly offPerplexity: number;
}

/** Further from the perplexity than the bisection ends, by no rounding. */
const OFF_PERPLEXITY = 1e-3;

/** Symmetric probabilities of N points (van der Maaten and Hinton 2008, section 3.1). @param distances squared, one a pair */
export async function jointProbabilities(
  distances: Float32Array,
  points: number,
  perplexity: number,
  turns: TakeTurns,
): Promise<JointProbabilities> {
  const probabilities = new Float32Array(distances.length);
  const [row, picked] = [new Float64Array(points), new Float64Array(points)];
  let offPerplexity = 0;
  for (let point = 0; point < points; point++) {
    await turns();
    readRow(distances, point, row);
    const reached = conditionalProbabilities(row, point, perplexity, picked);
    if (Math.abs(reached / perplexity - 1) > OFF_PERPLEXITY) offPerplexity++;
    for (let other = 0; other < points; other++) {
      if (other === point) continue;
      const [first, second] = other < point ? [other, point] : [point, other];
      probabilities[pairPlace(points, first, second)]! += picked[other]! / (2 * points);
    }
  }
  return { probabilities, offPerplexity };
}
