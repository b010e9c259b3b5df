import { createRandom } from "@duchenne/data";
import { describe, expect, it } from "vitest";
import { createBootstrap, samplingUnitsOf } from "../bootstrap.ts";
import { squaredDistances } from "./joint-probabilities.ts";
import { createNearestFirst } from "./nearest-first.ts";
import { type NeighbourQuestion, sameActionUnit, sameActionUnitOfOthers, sameSubject } from "./neighbour-question.ts";
import { neighbourShares } from "./neighbour-shares.ts";
import { createTurns } from "./turns.ts";

const turns = createTurns(new AbortController().signal);

/** Asks for neighbours of points with one feature each, placed on a line. */
async function ask(
  { features, line, subjects, count }: { features: number[]; line: number[]; subjects: string[]; count: number },
  questions: (owners: Int32Array) => NeighbourQuestion[],
) {
  const bootstrap = createBootstrap(samplingUnitsOf(subjects), { seed: 1, resamples: 100 });
  const distances = await squaredDistances(Float32Array.from(features), features.length, turns);
  const coordinates = Float64Array.from(line.flatMap((x) => [x, 0]));
  return neighbourShares({ distances, coordinates, count, bootstrap, turns }, questions(bootstrap.units.owners));
}

describe("the nearest first", () => {
  it("are in the order of their distances, equally near ones in their own", () => {
    const random = createRandom(["nearest test"]);
    const { order } = createNearestFirst(60);
    for (let point = 0; point < 60; point++) {
      const distances = Float64Array.from({ length: 60 }, () => random.integer(12) / 8);
      const others = Array.from(distances.keys()).filter((other) => other !== point);
      expect([...order(distances, point)]).toEqual(others.toSorted((a, b) => distances[a]! - distances[b]! || a - b));
    }
  });
});

describe("shares of alike neighbours", () => {
  const subjects = ["a", "a", "a", "b", "b", "b"];

  it("tell what is a cluster among the features and mixed in the plane", async () => {
    const places = { features: [0, 1, 2, 10, 11, 12], line: [0, 2, 4, 1.1, 3.1, 5.1], subjects, count: 2 };
    const { shares, kept } = await ask(places, (owners) => [sameSubject(owners)]);
    expect(shares[0]).toMatchObject({ frames: 6, features: { value: 1 }, ceiling: 1 });
    expect(shares[0]!.chance).toBeCloseTo(2 / 5, 12);
    // Only those at the ends have one of their own among the two nearest.
    expect(shares[0]!.plane.value).toBeCloseTo((2 * 0.5) / 6, 12);
    // Of each frame's two neighbours among the features, those at the ends find one again.
    expect(kept.value).toBeCloseTo((2 * 0.5) / 6, 12);
  });

  it("have a ceiling where there are fewer of a kind than neighbours", async () => {
    const places = { features: [0, 1, 2, 10, 11, 12], line: [0, 1, 2, 10, 11, 12], subjects, count: 4 };
    const { shares, kept } = await ask(places, (owners) => [sameSubject(owners)]);
    expect(shares[0]).toMatchObject({ features: { value: 0.5 }, plane: { value: 0.5 }, ceiling: 0.5 });
    expect(kept.value).toBe(1);
  });

  it("of action units are those of frames that show it, of known ones, and of others' alone", async () => {
    const labels = Int8Array.of(1, 1, 0, 1, -1, 0);
    const places = { features: [0, 1, 2, 10, 11, 12], line: [0, 1, 2, 10, 11, 12], subjects, count: 2 };
    const { shares } = await ask(places, (owners) => [sameActionUnit(labels), sameActionUnitOfOthers(labels, owners)]);
    // 0: neighbours 1 (shows it), 2; 1: 0 (shows it), 2; 3: 5, 2, for 4 is not known.
    expect(shares[0]).toMatchObject({ frames: 3, chance: 2 / 4, ceiling: 1 });
    expect(shares[0]!.features.value).toBeCloseTo((0.5 + 0.5 + 0) / 3, 12);
    // 0 and 1: 3 (shows it), 5; 3: 2, 1 (shows it).
    expect(shares[1]!.features.value).toBeCloseTo(0.5, 12);
    expect(shares[1]!.chance).toBeCloseTo((1 / 2 + 1 / 2 + 2 / 3) / 3, 12);
    expect(shares[1]!.ceiling).toBeCloseTo((1 / 2 + 1 / 2 + 1) / 3, 12);
  });

  it("are undefined of what nobody shows, and of others when there are none", async () => {
    const alone = { features: [0, 1, 2], line: [0, 1, 2], subjects: ["a", "a", "a"], count: 2 };
    const { shares } = await ask(alone, (owners) => [
      sameActionUnit(new Int8Array(3)),
      sameActionUnitOfOthers(Int8Array.of(1, 1, 1), owners),
    ]);
    for (const share of shares) expect(share).toEqual({ frames: 0, features: {}, plane: {} });
  });

  it("are by chance, on average, where features say nothing", async () => {
    const random = createRandom(["chance test"]);
    const frames = 400;
    const drawn = () => Array.from({ length: frames }, () => random.normal());
    const owners = Array.from({ length: frames }, (_, i) => `s${i % 8}`);
    const labels = Int8Array.from({ length: frames }, () => random.integer(3) - 1);
    const places = { features: drawn(), line: drawn(), subjects: owners, count: 10 };
    const { shares } = await ask(places, (units) => [
      sameSubject(units),
      sameActionUnit(labels),
      sameActionUnitOfOthers(labels, units),
    ]);
    for (const { features, plane, chance } of shares) {
      // Their standard deviation is about 0.01.
      expect(Math.abs(features.value! - chance!)).toBeLessThan(0.05);
      expect(Math.abs(plane.value! - chance!)).toBeLessThan(0.05);
      expect(features.lower!).toBeLessThan(features.upper!);
    }
  });
});
