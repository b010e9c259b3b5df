import { createRandom } from "@duchenne/data";
import type { TakeTurns } from "./turns.ts";

/** Gradient steps. */
export const TSNE_STEPS = 1000;
/** For so many steps, attraction counts `EXAGGERATION` times, so that clusters can move through each other. */
const EXAGGERATED_STEPS = 250;
const EXAGGERATION = 12;
const FIRST_SPREAD = 1e-4;
const MIN_GAIN = 0.01;
const MEASURED_EVERY = 50;

/** How an embedding is made. */
export interface EmbedOptions {
  readonly points: number;
  /** Draws the first places. */
  readonly seed: number;
  readonly turns: TakeTurns;
  /** Told after every step; now and then with the divergence. */
  readonly onStep?: ((step: number, klDivergence: number | undefined) => void) | undefined;
}

/** Points in the plane. */
export interface Embedding {
  /** [N * 2], their mean 0. */
  readonly coordinates: Float64Array;
  /** In nats. */
  readonly klDivergence: number;
}

/**
 * Places N points in the plane by exact t-SNE (van der Maaten and Hinton 2008): gradient descent on the divergence of the
 * plane's Student t probabilities from those given, with momentum and gains, exaggerated at first. The learning rate is
 * that of Belkina et al. 2019, N / 12, which is a quarter of it beside the gradient's factor 4, and at least 50. The same
 * of the same seed.
 *
 * @param probabilities one a pair, of `jointProbabilities`
 */
export async function embed(
  probabilities: Float32Array,
  { points, seed, turns, onStep }: EmbedOptions,
): Promise<Embedding> {
  const random = createRandom([seed, "t-sne"]);
  const coordinates = Float64Array.from({ length: 2 * points }, () => FIRST_SPREAD * random.normal());
  const [gradient, velocity] = [new Float64Array(2 * points), new Float64Array(2 * points)];
  const gains = new Float64Array(2 * points).fill(1);
  const learningRate = Math.max(points / EXAGGERATION / 4, 50);
  for (let step = 1; step <= TSNE_STEPS; step++) {
    await turns();
    const isExaggerated = step <= EXAGGERATED_STEPS;
    klGradient(probabilities, coordinates, isExaggerated ? EXAGGERATION : 1, gradient);
    const momentum = isExaggerated ? 0.5 : 0.8;
    for (let i = 0; i < coordinates.length; i++) {
      const turnsBack = gradient[i]! * velocity[i]! >= 0;
      gains[i] = turnsBack ? Math.max(0.8 * gains[i]!, MIN_GAIN) : gains[i]! + 0.2;
      velocity[i] = momentum * velocity[i]! - learningRate * gains[i]! * gradient[i]!;
      coordinates[i]! += velocity[i]!;
    }
    centre(coordinates);
    onStep?.(step, step % MEASURED_EVERY === 0 ? klDivergence(probabilities, coordinates) : undefined);
  }
  return { coordinates, klDivergence: klDivergence(probabilities, coordinates) };
}

/**
 * The gradient of the divergence by the coordinates [N * 2] (van der Maaten and Hinton 2008, eq. 5). Attraction and
 * repulsion are summed apart, since only the whole sum of the weights says how much repulsion counts: one pass over the pairs.
 *
 * @param exaggeration what the probabilities are multiplied by
 */
export function klGradient(
  probabilities: Float32Array,
  coordinates: Float64Array,
  exaggeration: number,
  gradient: Float64Array,
): void {
  const repulsion = new Float64Array(coordinates.length);
  gradient.fill(0);
  let sum = 0;
  for (let i = 0, pair = 0; i < coordinates.length; i += 2) {
    const [xi, yi] = [coordinates[i]!, coordinates[i + 1]!];
    let [pullX, pullY, pushX, pushY] = [0, 0, 0, 0];
    for (let j = i + 2; j < coordinates.length; j += 2, pair++) {
      const dx = xi - coordinates[j]!;
      const dy = yi - coordinates[j + 1]!;
      const weight = 1 / (1 + dx * dx + dy * dy);
      const pull = probabilities[pair]! * weight;
      const push = weight * weight;
      sum += weight;
      pullX += pull * dx;
      pullY += pull * dy;
      pushX += push * dx;
      pushY += push * dy;
      gradient[j]! -= pull * dx;
      gradient[j + 1]! -= pull * dy;
      repulsion[j]! -= push * dx;
      repulsion[j + 1]! -= push * dy;
    }
    gradient[i]! += pullX;
    gradient[i + 1]! += pullY;
    repulsion[i]! += pushX;
    repulsion[i + 1]! += pushY;
  }
  for (let i = 0; i < gradient.length; i++) {
    gradient[i] = 4 * (exaggeration * gradient[i]! - repulsion[i]! / (2 * sum));
  }
}

/** The divergence of the plane's probabilities from those given, in nats. @param coordinates [N * 2] */
export function klDivergence(probabilities: Float32Array, coordinates: Float64Array): number {
  let [sum, given, divergence] = [0, 0, 0];
  for (let i = 0, pair = 0; i < coordinates.length; i += 2) {
    for (let j = i + 2; j < coordinates.length; j += 2, pair++) {
      const dx = coordinates[i]! - coordinates[j]!;
      const dy = coordinates[i + 1]! - coordinates[j + 1]!;
      const inverse = 1 + dx * dx + dy * dy;
      const probability = probabilities[pair]!;
      sum += 1 / inverse;
      given += probability;
      if (probability > 0) divergence += probability * Math.log(probability * inverse);
    }
  }
  return 2 * (divergence + given * Math.log(2 * sum));
}

function centre(coordinates: Float64Array): void {
  const points = coordinates.length / 2;
  let [x, y] = [0, 0];
  for (let i = 0; i < coordinates.length; i += 2) {
    x += coordinates[i]!;
    y += coordinates[i + 1]!;
  }
  for (let i = 0; i < coordinates.length; i += 2) {
    coordinates[i]! -= x / points;
    coordinates[i + 1]! -= y / points;
  }
}
