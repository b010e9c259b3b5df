import { describe, expect, it } from "vitest";
import type { Partition } from "./dataset.ts";
import { drawFolds } from "./folds.ts";
import { holdOutValidation, splitByFold, splitByPartition, splitBySubject, splitWithinSubject } from "./split.ts";

/** `frames[s]` frames of subject s, interleaved. */
function datasetOf(frames: readonly number[], folds?: readonly (readonly string[])[]) {
  const subjects = frames.map((_, i) => `s${i}`);
  const longest = Math.max(...frames);
  const samples = Array.from({ length: longest }, (_, round) =>
    frames.flatMap((count, subjectIndex) => (round < count ? [{ subjectIndex }] : [])),
  ).flat();
  return { subjects, samples, ...(folds === undefined ? {} : { folds }) };
}
type Data = ReturnType<typeof datasetOf>;
const subjectsOf = ({ samples }: Data, indices: Uint32Array) =>
  [...new Set(Array.from(indices, (i) => samples[i]!.subjectIndex))].sort((a, b) => a - b);
const sorted = (...parts: Uint32Array[]) => parts.flatMap((part) => [...part]).sort((a, b) => a - b);

describe("splitByFold", () => {
  const folds = [["s0", "s1"], ["s2"], ["s3", "s4"]];
  const dataset = datasetOf([3, 3, 3, 3, 0], folds);
  it("tests on one fold, trains on all others, and tests each frame once over all folds", () => {
    const splits = [1, 2, 3].map((fold) => splitByFold(dataset, { fold }));
    expect(splits.map(({ test }) => subjectsOf(dataset, test))).toEqual([[0, 1], [2], [3]]);
    for (const { train, test } of splits) expect(sorted(train, test)).toEqual([...dataset.samples.keys()]);
    expect(sorted(...splits.map(({ test }) => test))).toEqual([...dataset.samples.keys()]);
  });
  it.each([
    ["FOLD_OUT_OF_RANGE", folds, 0],
    ["FOLD_OUT_OF_RANGE", folds, 4],
    ["FOLD_OUT_OF_RANGE", folds, 1.5],
    ["NO_FOLDS", [], 1],
    ["SUBJECT_IN_TWO_FOLDS", [["s0", "s1"], ["s2", "s3"], ["s1"]], 1],
    [
      "SUBJECT_IN_TWO_FOLDS",
      [
        ["s0", "s0"],
        ["s1", "s2", "s3"],
      ],
      1,
    ],
    [
      "UNKNOWN_FOLD_SUBJECT",
      [
        ["s0", "s1", "nobody"],
        ["s2", "s3"],
      ],
      1,
    ],
    ["SUBJECT_WITHOUT_FOLD", [["s0", "s1"], ["s2"]], 1],
    ["EMPTY_SPLIT", [["s4"], ["s0", "s1", "s2", "s3"]], 1],
    ["EMPTY_SPLIT", [["s4"], ["s0", "s1", "s2", "s3"]], 2],
  ])("throws %s", (reason, other, fold) => {
    expect(() => splitByFold(dataset, { fold, folds: other })).toThrow(expect.objectContaining({ reason }));
  });
  it("throws NO_FOLDS for a data set without", () => {
    expect(() => splitByFold(datasetOf([1, 1]), { fold: 1 })).toThrow(expect.objectContaining({ reason: "NO_FOLDS" }));
  });
});

describe("drawFolds", () => {
  const dataset = datasetOf([40, 1, 7, 0, 30, 12, 5, 22, 9, 3, 16]);
  it("deals every subject with frames once, numbers differing by at most one", () => {
    const folds = drawFolds(dataset, { folds: 3, seed: 5 });
    expect(folds.flat().sort()).toEqual(dataset.subjects.filter((subject) => subject !== "s3").sort());
    expect(folds.map(({ length }) => length).sort()).toEqual([3, 3, 4]);
    expect(() => splitByFold(dataset, { fold: 3, folds })).not.toThrow();
  });
  it("is a function of the seed", () => {
    const draw = (seed: number) => drawFolds(dataset, { folds: 3, seed });
    expect(draw(1)).toEqual(draw(1));
    expect(new Set([1, 2, 3, 4].map((seed) => JSON.stringify(draw(seed)))).size).toBeGreaterThan(1);
  });
  it("differs in frames by no more than the largest subject", () => {
    const frames = drawFolds(dataset, { folds: 3, seed: 2 }).map((fold) =>
      fold.reduce((sum, subject) => sum + dataset.samples.filter((s) => `s${s.subjectIndex}` === subject).length, 0),
    );
    expect(Math.max(...frames) - Math.min(...frames)).toBeLessThanOrEqual(40);
  });
  it("throws when there are more folds than subjects with frames", () => {
    expect(() => drawFolds(datasetOf([1, 0, 1]), { folds: 3, seed: 1 })).toThrow(
      expect.objectContaining({ reason: "TOO_FEW_SUBJECTS" }),
    );
  });
});

describe("splitByPartition", () => {
  const samples = (parts: readonly (Partition | undefined)[]) => ({
    samples: parts.map((partition, i) => ({ imagePath: `${i}.png`, ...(partition && { partition }) })),
  });
  it("is the official one", () => {
    const { train, test } = splitByPartition(samples(["train", "test", "train"]));
    expect([[...train], [...test]]).toEqual([[0, 2], [1]]);
  });
  it.each([
    ["NO_PARTITION", ["train", undefined, "test"]],
    ["EMPTY_SPLIT", ["train", "train"]],
    ["EMPTY_SPLIT", ["test"]],
  ] as const)("throws %s", (reason, parts) => {
    expect(() => splitByPartition(samples(parts))).toThrow(expect.objectContaining({ reason }));
  });
});

describe("holdOutValidation", () => {
  it("takes whole subjects out of the training part and leaves the test part alone", () => {
    const dataset = datasetOf(
      [4, 4, 4, 4, 4, 4],
      [
        ["s0", "s1"],
        ["s2", "s3", "s4", "s5"],
      ],
    );
    const split = splitByFold(dataset, { fold: 1 });
    const { train, validation, test } = holdOutValidation(dataset, split, { validationFraction: 0.25, seed: 3 });
    expect(test).toEqual(split.test);
    expect(sorted(train, validation)).toEqual([...split.train]);
    const [trained, validated] = [subjectsOf(dataset, train), subjectsOf(dataset, validation)];
    expect(validated).toHaveLength(1);
    expect(trained.some((subject) => validated.includes(subject))).toBe(false);
  });
  it("takes frames where there are no subjects", () => {
    const dataset = { subjects: [], samples: Array.from({ length: 10 }, () => ({ subjectIndex: -1 })) };
    const split = { train: Uint32Array.from([0, 1, 2, 3, 4, 5, 6, 7]), test: Uint32Array.from([8, 9]) };
    const { train, validation } = holdOutValidation(dataset, split, { validationFraction: 0.25, seed: 3 });
    expect([train.length, validation.length]).toEqual([6, 2]);
    expect(sorted(train, validation)).toEqual([...split.train]);
  });
  it("throws when one subject is all there is", () => {
    const dataset = datasetOf([4, 4]);
    const split = splitBySubject(dataset, { testFraction: 0.5, seed: 1 });
    expect(() => holdOutValidation(dataset, split, { validationFraction: 0.5, seed: 1 })).toThrow(
      expect.objectContaining({ reason: "TOO_FEW_SUBJECTS" }),
    );
  });
});

describe("splitBySubject", () => {
  it("draws among the subjects that have frames", () => {
    const dataset = datasetOf([2, 0, 0, 0, 0, 2]);
    for (const seed of [1, 2, 3, 4]) {
      const { train, test } = splitBySubject(dataset, { testFraction: 0.25, seed });
      expect([train.length, test.length]).toEqual([2, 2]);
    }
    expect(() => splitBySubject(datasetOf([3, 0]), { testFraction: 0.5, seed: 1 })).toThrow(
      expect.objectContaining({ reason: "TOO_FEW_SUBJECTS" }),
    );
  });
});

describe("splitWithinSubject", () => {
  it("draws so many frames of each subject", () => {
    const dataset = datasetOf([120, 0, 100, 300]);
    const { train, test } = splitWithinSubject(dataset, { testFraction: 0.3, seed: 1, framesPerSubject: 100 });
    const count = (indices: Uint32Array) =>
      dataset.subjects.map((_, s) => indices.filter((i) => dataset.samples[i]!.subjectIndex === s).length);
    expect([count(train), count(test)]).toEqual([
      [70, 0, 70, 70],
      [30, 0, 30, 30],
    ]);
    expect(new Set(sorted(train, test)).size).toBe(300);
  });
  it("refuses subjects with fewer frames", () => {
    expect(() =>
      splitWithinSubject(datasetOf([120, 99, 3]), { testFraction: 0.3, seed: 1, framesPerSubject: 100 }),
    ).toThrow(/at least 100 frames of each subject, got 99 of "s1", 3 of "s2"/);
  });
});
