import { createRandom } from "@duchenne/data";
import { describe, expect, it } from "vitest";
import { projectFeatures, projectionReportSchema } from "../index.ts";
import { perplexityFor } from "./perplexity.ts";
import type { ProjectionInput } from "./project-features.ts";

const SUBJECTS = 6;
const FRAMES = 20;
const DIM = 16;

/** Frames whose features hold as much of who it is and of what he does as is said, beside noise. */
function input({ identity, expression }: { identity: number; expression: number }): ProjectionInput {
  const random = createRandom(["projection test"]);
  const direction = () => Array.from({ length: DIM }, () => random.normal());
  const people = Array.from({ length: SUBJECTS }, direction);
  const smile = direction();
  const frames = Array.from({ length: SUBJECTS * FRAMES }, (_, i) => i);
  const smiles = frames.map((frame) => Number(Math.floor(frame / SUBJECTS) % 2 === 0));
  return {
    features: Float32Array.from(
      frames.flatMap((frame) =>
        Array.from(
          { length: DIM },
          (_, d) =>
            identity * people[frame % SUBJECTS]![d]! + expression * smiles[frame]! * smile[d]! + random.normal() / 4,
        ),
      ),
    ),
    subjects: frames.map((frame) => `s${frame % SUBJECTS}`),
    actionUnits: [12, 4],
    occurrence: Int8Array.from(frames.flatMap((frame) => [smiles[frame]!, frame % 5 === 0 ? -1 : 0])),
    frames: frames.map((frame) => ({ frame: 1000 + frame, image: `images/${frame}.png` })),
    neighbours: 5,
    seed: 3,
    resamples: 100,
    signal: new AbortController().signal,
  };
}

describe("a projection", () => {
  it("shows and measures identity where features hold it", async () => {
    const { neighbours } = await projectFeatures(input({ identity: 2, expression: 0 }));
    const { subject, actionUnits } = neighbours;
    expect(subject.chance).toBeCloseTo((FRAMES - 1) / (SUBJECTS * FRAMES - 1), 12);
    expect(subject).toMatchObject({
      features: { value: 1 },
      plane: { value: 1 },
      ceiling: 1,
      frames: SUBJECTS * FRAMES,
    });
    const { otherSubjects } = actionUnits[0]!;
    expect(otherSubjects.features.value!).toBeLessThan(0.7);
    expect(otherSubjects.chance).toBeCloseTo(0.5, 12);
  });

  it("shows and measures an action unit where features hold it alone", async () => {
    const { neighbours } = await projectFeatures(input({ identity: 0, expression: 2 }));
    const { subject, actionUnits } = neighbours;
    expect(subject.features.value!).toBeLessThan(2 * subject.chance!);
    expect(subject.plane.value!).toBeLessThan(2 * subject.chance!);
    for (const share of [actionUnits[0]!.all, actionUnits[0]!.otherSubjects]) {
      expect(share).toMatchObject({ features: { value: 1 }, plane: { value: 1 }, ceiling: 1 });
    }
    // Nobody shows AU4.
    expect(actionUnits[1]!.all).toEqual({ frames: 0, features: {}, plane: {} });
  });

  it("is its frames with their labels, and the same of the same seed", async () => {
    const given = input({ identity: 1, expression: 1 });
    const steps: number[] = [];
    const report = await projectFeatures({ ...given, perplexity: 7.5, onStep: (step) => steps.push(step) });
    expect(projectionReportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
    expect(report).toMatchObject({
      frames: 120,
      subjects: 6,
      dimensions: DIM,
      perplexity: 7.5,
      offPerplexity: 0,
      seed: 3,
      actionUnits: [12, 4],
      neighbours: { count: 5, keptChance: 5 / 119 },
    });
    expect(steps).toEqual(Array.from({ length: report.steps }, (_, i) => i + 1));
    expect(report.points.slice(0, 7).map(({ x: _x, y: _y, ...point }) => point)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((i) => ({
        frame: 1000 + i,
        image: `images/${i}.png`,
        subject: `s${i % 6}`,
        labels: [i < 6 ? 1 : 0, i % 5 === 0 ? null : 0],
      })),
    );
    expect(await projectFeatures({ ...given, perplexity: 7.5 })).toEqual(report);
    const other = await projectFeatures({ ...given, perplexity: 7.5, seed: 4 });
    expect(other.points).not.toEqual(report.points);
  });

  it("is refused of features that are no numbers, or that tell no frame from another", async () => {
    const given = input({ identity: 1, expression: 1 });
    const broken = { ...given, features: given.features.with(DIM + 3, Number.NaN) };
    await expect(projectFeatures(broken)).rejects.toMatchObject({
      reason: "DEGENERATE_FEATURES",
      message: "Expected features that are numbers and differ, feature 3 of frame 1 (both counted from 0) is NaN",
    });
    await expect(projectFeatures({ ...given, features: given.features.map(() => 0.5) })).rejects.toMatchObject({
      message: "Expected features that are numbers and differ, all 120 frames have the same",
    });
    await expect(projectFeatures({ ...given, perplexity: 40 })).rejects.toMatchObject({
      reason: "PERPLEXITY_TOO_LARGE",
    });
  });
});

describe("the perplexity", () => {
  it("is 30, or what few frames allow", () => {
    expect([91, 200, 61, 7].map((frames) => perplexityFor(undefined, frames))).toEqual([30, 30, 20, 2]);
    expect(perplexityFor(5, 16)).toBe(5);
  });

  it("is refused with what is allowed when frames are too few", () => {
    expect(() => perplexityFor(30, 90)).toThrow(
      "Expected a perplexity of at most 29.67, a third of the 90 frames less one, got 30",
    );
    expect(() => perplexityFor(undefined, 6)).toThrow("Expected at least 7 frames to project, got 6");
    expect(() => perplexityFor(2, 0)).toThrow("Expected at least 7 frames to project, got 0");
  });
});
