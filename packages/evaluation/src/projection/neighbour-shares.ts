import type { Bootstrap } from "../bootstrap.ts";
import type { Estimate } from "../report.ts";
import { createNearestFirst } from "./nearest-first.ts";
import type { NeighbourQuestion } from "./neighbour-question.ts";
import { readRow } from "./pairs.ts";
import type { TakeTurns } from "./turns.ts";

/** What share of the nearest neighbours is alike, among the features and in the plane. */
export interface NeighbourShare {
  /** Frames whose neighbours were asked for. */
  readonly frames: number;
  readonly features: Estimate;
  readonly plane: Estimate;
  /** What neighbours drawn at random reach; absent without frames. */
  readonly chance?: number | undefined;
  /** The most that it can be: a subject may have fewer frames than there are neighbours; absent without frames. */
  readonly ceiling?: number | undefined;
}

/** Where the points are, and how many neighbours are looked at. */
export interface NeighbourInput {
  /** Squared distances of the features, one a pair. */
  readonly distances: Float32Array;
  /** [N * 2] */
  readonly coordinates: Float64Array;
  /** Neighbours of a frame; fewer where there are not so many candidates. */
  readonly count: number;
  /** Of the frames' subjects: intervals are over those whose neighbours are asked for. */
  readonly bootstrap: Bootstrap;
  readonly turns: TakeTurns;
}

/** What neighbours say. */
export interface NeighbourFigures {
  /** In the order of the questions. */
  readonly shares: readonly NeighbourShare[];
  /** What share of the nearest neighbours among the features is so in the plane, too. */
  readonly kept: Estimate;
}

/** Asks for the neighbours of every frame in both spaces. */
export async function neighbourShares(
  { distances, coordinates, count, bootstrap, turns }: NeighbourInput,
  questions: readonly NeighbourQuestion[],
): Promise<NeighbourFigures> {
  const points = coordinates.length / 2;
  const { owners } = bootstrap.units;
  const tallies = questions.map((question) => createTally(question, count, bootstrap.units.count));
  const kept = { found: new Float64Array(bootstrap.units.count), frames: new Float64Array(bootstrap.units.count) };
  const row = new Float64Array(points);
  const [amongFeatures, inPlane] = [createNearestFirst(points), createNearestFirst(points)];
  const nearIn = new Int32Array(points).fill(-1);
  for (let frame = 0; frame < points; frame++) {
    await turns();
    readRow(distances, frame, row);
    const features = amongFeatures.order(row, frame);
    planeRow(coordinates, frame, row);
    const plane = inPlane.order(row, frame);
    for (const tally of tallies) tally.add(frame, owners[frame]!, { features, plane });
    for (const other of features.subarray(0, count)) nearIn[other] = frame;
    for (const other of plane.subarray(0, count)) if (nearIn[other] === frame) kept.found[owners[frame]!]! += 1 / count;
    kept.frames[owners[frame]!]!++;
  }
  const sums = [
    ...tallies.flatMap(({ features, plane, frames }) => [
      { found: features, frames },
      { found: plane, frames },
    ]),
    kept,
  ];
  const estimates = bootstrap.estimate((weights) =>
    sums.map(({ found, frames }) => {
      let [share, all] = [0, 0];
      for (const [subject, weight] of weights.entries()) {
        share += weight * found[subject]!;
        all += weight * frames[subject]!;
      }
      return all === 0 ? undefined : share / all;
    }),
  );
  return {
    shares: tallies.map((tally, i) => ({
      ...tally.figures(),
      features: estimates[2 * i]!,
      plane: estimates[2 * i + 1]!,
    })),
    kept: estimates.at(-1)!,
  };
}

/** Squared distances in the plane. */
function planeRow(coordinates: Float64Array, frame: number, row: Float64Array): void {
  const [x, y] = [coordinates[2 * frame]!, coordinates[2 * frame + 1]!];
  for (let other = 0; other < row.length; other++) {
    const dx = x - coordinates[2 * other]!;
    const dy = y - coordinates[2 * other + 1]!;
    row[other] = dx * dx + dy * dy;
  }
}

/** The others around a frame, the nearest first. */
interface Orders {
  readonly features: Uint16Array;
  readonly plane: Uint16Array;
}

/** Sums the answers to a question, apart for every subject. */
function createTally(question: NeighbourQuestion, count: number, subjects: number) {
  const [features, plane, frames] = [0, 1, 2].map(() => new Float64Array(subjects)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let [asked, chance, ceiling] = [0, 0, 0];
  return {
    features,
    plane,
    frames,
    add(frame: number, subject: number, orders: Orders): void {
      const candidates = question.isAsked(frame) ? question.candidates(frame) : 0;
      if (candidates === 0) return;
      const near = Math.min(count, candidates);
      features[subject]! += alikeAmong(orders.features, frame, question, near) / near;
      plane[subject]! += alikeAmong(orders.plane, frame, question, near) / near;
      frames[subject]!++;
      asked++;
      chance += question.alike(frame) / candidates;
      ceiling += Math.min(question.alike(frame), near) / near;
    },
    figures: () => ({ frames: asked, ...(asked > 0 && { chance: chance / asked, ceiling: ceiling / asked }) }),
  };
}

/** How many of the nearest candidates are alike. */
function alikeAmong(order: Uint16Array, frame: number, question: NeighbourQuestion, near: number): number {
  let [seen, alike] = [0, 0];
  for (let place = 0; seen < near; place++) {
    const other = order[place]!;
    if (!question.isCandidate(frame, other)) continue;
    seen++;
    if (question.isAlike(frame, other)) alike++;
  }
  return alike;
}
