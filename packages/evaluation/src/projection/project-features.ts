import { createBootstrap, samplingUnitsOf } from "../bootstrap.ts";
import { jointProbabilities, squaredDistances } from "./joint-probabilities.ts";
import { sameActionUnit, sameActionUnitOfOthers, sameSubject } from "./neighbour-question.ts";
import { type NeighbourInput, neighbourShares } from "./neighbour-shares.ts";
import { perplexityFor } from "./perplexity.ts";
import type { ProjectionReport } from "./projection-report.ts";
import { embed, TSNE_STEPS } from "./tsne.ts";
import { createTurns } from "./turns.ts";

/** Features of N frames beside their labels, and how they are projected. */
export interface ProjectionInput {
  /** [N * D] */
  readonly features: Float32Array;
  /** The subject of each frame. */
  readonly subjects: readonly string[];
  /** A FACS numbers. */
  readonly actionUnits: readonly number[];
  /** [N * A]: 1 occurs, 0 does not, -1 unknown. */
  readonly occurrence: Int8Array;
  /** Their places in the data set, and their images. */
  readonly frames: readonly { readonly frame: number; readonly image: string }[];
  /** 30 when absent, or what few frames allow. */
  readonly perplexity?: number | undefined;
  /** Neighbours that are looked at; all others of fewer frames. */
  readonly neighbours: number;
  /** Draws the first places and the bootstrap. */
  readonly seed: number;
  /** Bootstrap resamples. */
  readonly resamples: number;
  readonly signal: AbortSignal;
  /** Told after every gradient step; now and then with the divergence. */
  readonly onStep?: ((step: number, klDivergence: number | undefined) => void) | undefined;
}

/** Thrown when features are no numbers or all the same: a projection of them would look like one and mean nothing. */
export class DegenerateFeaturesError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "DEGENERATE_FEATURES";

  constructor(problem: string) {
    super(`Expected features that are numbers and differ, ${problem}`);
    this.name = "DegenerateFeaturesError";
  }
}

/** Digits that coordinates keep. What is told of the plane is told of those. */
const COORDINATE_DIGITS = 4;

/**
 * Projects features to the plane by t-SNE and measures what one sees there: what share of the nearest neighbours shows the
 * same subject, or an action unit as well, among the features and in the plane, against chance.
 *
 * @throws {PerplexityTooLargeError} @throws {DegenerateFeaturesError} @throws the signal's reason
 */
export async function projectFeatures(input: ProjectionInput): Promise<ProjectionReport> {
  const { features, subjects, actionUnits, occurrence, frames, seed, resamples, signal, onStep } = input;
  const points = subjects.length;
  const perplexity = perplexityFor(input.perplexity, points);
  const dimensions = features.length / points;
  checkFeatures(features, dimensions);
  const turns = createTurns(signal);
  const distances = await squaredDistances(features, points, turns);
  if (distances.every((distance) => distance === 0)) {
    throw new DegenerateFeaturesError(`all ${points} frames have the same`);
  }
  const { probabilities, offPerplexity } = await jointProbabilities(distances, points, perplexity, turns);
  const embedding = await embed(probabilities, { points, seed, turns, onStep });
  const coordinates = embedding.coordinates.map(rounded);

  const bootstrap = createBootstrap(samplingUnitsOf(subjects), { seed, resamples });
  const count = Math.min(input.neighbours, points - 1);
  const neighbours = { distances, coordinates, count, bootstrap, turns };
  return {
    frames: points,
    subjects: bootstrap.units.subjects.length,
    intervalsOver: bootstrap.units.kind,
    resamples,
    seed,
    dimensions,
    perplexity,
    offPerplexity,
    steps: TSNE_STEPS,
    klDivergence: embedding.klDivergence,
    neighbours: await neighbourReport(neighbours, actionUnits, occurrence),
    actionUnits: [...actionUnits],
    points: frames.map(({ frame, image }, i) => ({
      frame,
      image,
      subject: subjects[i]!,
      x: coordinates[2 * i]!,
      y: coordinates[2 * i + 1]!,
      labels: actionUnits.map((_, unit) => labelOf(occurrence[i * actionUnits.length + unit]!)),
    })),
  };
}

async function neighbourReport(
  input: NeighbourInput,
  actionUnits: readonly number[],
  occurrence: Int8Array,
): Promise<ProjectionReport["neighbours"]> {
  const { owners } = input.bootstrap.units;
  const questions = actionUnits.flatMap((_, unit) => {
    const labels = Int8Array.from(owners, (_owner, frame) => occurrence[frame * actionUnits.length + unit]!);
    return [sameActionUnit(labels), sameActionUnitOfOthers(labels, owners)];
  });
  const { shares, kept } = await neighbourShares(input, [sameSubject(owners), ...questions]);
  return {
    count: input.count,
    kept,
    keptChance: input.count / (owners.length - 1),
    subject: shares[0]!,
    actionUnits: actionUnits.map((actionUnit, unit) => ({
      actionUnit,
      all: shares[1 + 2 * unit]!,
      otherSubjects: shares[2 + 2 * unit]!,
    })),
  };
}

function checkFeatures(features: Float32Array, dimensions: number): void {
  const at = features.findIndex((feature) => !Number.isFinite(feature));
  if (at < 0) return;
  const place = `feature ${at % dimensions} of frame ${Math.floor(at / dimensions)}`;
  throw new DegenerateFeaturesError(`${place} (both counted from 0) is ${features[at]}`);
}

const rounded = (coordinate: number): number => Number(coordinate.toFixed(COORDINATE_DIGITS));

const labelOf = (occurrence: number): 0 | 1 | null => (occurrence === 1 ? 1 : occurrence === 0 ? 0 : null);
