import { createRandom } from "@duchenne/data";
import { describe, expect, it } from "vitest";
import { conditionalProbabilities, jointProbabilities, squaredDistances } from "./joint-probabilities.ts";
import { pairPlace, readRow } from "./pairs.ts";
import { embed, klDivergence, klGradient, TSNE_STEPS } from "./tsne.ts";
import { createTurns } from "./turns.ts";

const never = new AbortController().signal;
const turns = createTurns(never);
const random = createRandom(["t-sne test"]);
const DIM = 6;

/** Normal features around as many centres: [N * DIM]. */
function clustered(centres: number, perCentre: number, distance: number): Float32Array {
  const places = Array.from({ length: centres }, () => Array.from({ length: DIM }, () => distance * random.normal()));
  return Float32Array.from(
    places.flatMap((place) => Array.from({ length: perCentre }, () => place.map((x) => x + random.normal())).flat()),
  );
}

async function probabilitiesOf(features: Float32Array, perplexity: number) {
  const points = features.length / DIM;
  return jointProbabilities(await squaredDistances(features, points, turns), points, perplexity, turns);
}

async function embedded(features: Float32Array, perplexity: number, seed = 1) {
  const { probabilities } = await probabilitiesOf(features, perplexity);
  const divergences = new Map<number, number>();
  const embedding = await embed(probabilities, {
    points: features.length / DIM,
    seed,
    turns,
    onStep: (step, divergence) => divergence !== undefined && divergences.set(step, divergence),
  });
  return { ...embedding, probabilities, divergences };
}

describe("probabilities", () => {
  const perplexityOf = (probabilities: Float64Array) =>
    Math.exp(-probabilities.reduce((sum, p) => (p > 0 ? sum + p * Math.log(p) : sum), 0));

  it.each([2, 5, 12.5])("have a perplexity of %d around every point, near or far ones", async (perplexity) => {
    const features = clustered(4, 10, 30);
    const distances = await squaredDistances(features, 40, turns);
    const [row, probabilities] = [new Float64Array(40), new Float64Array(40)];
    for (let point = 0; point < 40; point++) {
      readRow(distances, point, row);
      const reached = conditionalProbabilities(row, point, perplexity, probabilities);
      expect(probabilities[point]).toBe(0);
      expect(probabilities.reduce((sum, p) => sum + p)).toBeCloseTo(1, 12);
      expect(reached).toBeCloseTo(perplexityOf(probabilities), 8);
      // The bisection ends when the entropy is within 1e-5 nats.
      expect(Math.abs(Math.log(reached / perplexity))).toBeLessThan(1e-5);
    }
  });

  it("do not depend on the unit of the features", async () => {
    const features = clustered(2, 12, 3);
    const { probabilities } = await probabilitiesOf(features, 6);
    // Powers of two scale without rounding.
    for (const unit of [2 ** -20, 2 ** 20]) {
      const scaled = await probabilitiesOf(
        features.map((x) => x * unit),
        6,
      );
      for (const [pair, p] of probabilities.entries()) expect(scaled.probabilities[pair]).toBeCloseTo(p, 6);
    }
  });

  it("are the means of both directions, and sum to 1 over ordered pairs", async () => {
    const features = clustered(1, 15, 0);
    const { probabilities, offPerplexity } = await probabilitiesOf(features, 4);
    expect(offPerplexity).toBe(0);
    expect(2 * probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    const distances = await squaredDistances(features, 15, turns);
    const picked = [3, 9].map((point) => {
      const [row, of] = [new Float64Array(15), new Float64Array(15)];
      readRow(distances, point, row);
      conditionalProbabilities(row, point, 4, of);
      return of;
    });
    expect(probabilities[pairPlace(15, 3, 9)]).toBeCloseTo((picked[0]![9]! + picked[1]![3]!) / 30, 7);
  });

  it("tell of points with more equally near ones than the perplexity", async () => {
    const copies = new Float32Array(10 * DIM);
    const features = Float32Array.from([...copies, ...clustered(1, 20, 0).map((x) => x + 50)]);
    const { offPerplexity, probabilities } = await probabilitiesOf(features, 5);
    expect(offPerplexity).toBe(10);
    expect(probabilities.every(Number.isFinite)).toBe(true);
  });
});

describe("the gradient", () => {
  it("is that of the divergence", async () => {
    const { probabilities } = await probabilitiesOf(clustered(2, 6, 3), 3);
    const coordinates = Float64Array.from({ length: 24 }, () => random.normal());
    const gradient = new Float64Array(24);
    klGradient(probabilities, coordinates, 1, gradient);
    const h = 1e-5;
    for (const i of coordinates.keys()) {
      const [more, less] = [h, -h].map((step) =>
        klDivergence(probabilities, coordinates.with(i, coordinates[i]! + step)),
      );
      // Twice their sum is 1 to rounding in single precision.
      expect(Math.abs(gradient[i]! - (more! - less!) / (2 * h))).toBeLessThan(1e-7);
    }
  });
});

describe("t-SNE", () => {
  it("lowers the divergence, from the exaggerated steps on to the end", async () => {
    const { divergences, klDivergence: last } = await embedded(clustered(3, 30, 4), 10);
    const steps = [250, 300, 500, TSNE_STEPS];
    const values = steps.map((step) => divergences.get(step)!);
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    expect(last).toBe(values.at(-1));
    expect(last).toBeGreaterThan(0);
  });

  it("keeps clusters apart that are far apart, and neighbours together", async () => {
    const perCentre = 25;
    const { coordinates } = await embedded(clustered(4, perCentre, 20), 8);
    const place = (i: number) => [coordinates[2 * i]!, coordinates[2 * i + 1]!] as const;
    const distance = (i: number, j: number) => Math.hypot(place(i)[0] - place(j)[0], place(i)[1] - place(j)[1]);
    for (let i = 0; i < 4 * perCentre; i++) {
      const others = Array.from({ length: 4 * perCentre }, (_, j) => j).filter((j) => j !== i);
      const nearest = others.sort((a, b) => distance(i, a) - distance(i, b)).slice(0, perCentre - 1);
      expect(nearest.every((j) => Math.floor(j / perCentre) === Math.floor(i / perCentre))).toBe(true);
    }
  });

  it("is the same of the same seed, and other of another", async () => {
    const features = clustered(2, 15, 4);
    const [one, again, other] = [
      await embedded(features, 5),
      await embedded(features, 5),
      await embedded(features, 5, 2),
    ];
    expect(again.coordinates).toEqual(one.coordinates);
    expect(other.coordinates).not.toEqual(one.coordinates);
  });

  it("has its mean at 0, and stays finite for the fewest points", async () => {
    const { coordinates, klDivergence: divergence } = await embedded(clustered(1, 7, 0), 2);
    expect(Math.abs(coordinates.reduce((sum, x) => sum + x))).toBeLessThan(1e-6);
    expect(coordinates.every(Number.isFinite)).toBe(true);
    expect(divergence).toBeGreaterThan(0);
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    const { probabilities } = await probabilitiesOf(clustered(4, 100, 4), 20);
    let steps = 0;
    const reason = new Error("stop");
    const embedding = embed(probabilities, {
      points: 400,
      seed: 1,
      turns: createTurns(stop.signal),
      onStep: () => {
        if (++steps === 10) stop.abort(reason);
      },
    });
    await expect(embedding).rejects.toBe(reason);
    expect(steps).toBeLessThan(TSNE_STEPS);
  });
});
