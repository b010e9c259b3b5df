import type { Dataset, Sample } from "@duchenne/data";
import type { ModelCard } from "@duchenne/model";
import { describe, expect, it } from "vitest";
import { calibrationParts } from "./calibration-frames.ts";

const subjects = ["a", "b", "c", "d"];

/** Ten frames of each subject. */
function datasetOf(partitions: readonly ("train" | "test")[] = []): Dataset {
  const samples = subjects.flatMap((subject, subjectIndex) =>
    Array.from({ length: 10 }, (_, i): Sample => {
      const partition = partitions[subjectIndex];
      return {
        imagePath: `/${subject}/${i}.png`,
        subject,
        subjectIndex,
        occurrence: new Int8Array(),
        intensity: new Float32Array(),
        expression: -1,
        ...(partition && { partition }),
      };
    }),
  );
  const about = { name: "faces", directory: "/", description: "", boxConvention: "unknown" };
  return { ...about, actionUnits: [], subjects, samples, digest: "d1" };
}

const cardOf = (digest: string, split: Partial<ModelCard["split"]> = {}) => ({
  name: "datasets/faces",
  card: {
    dataset: { digest },
    split: { isOfficial: false, trainSubjects: ["a", "b"], validationSubjects: ["c"], testSubjects: ["d"], ...split },
  } as unknown as ModelCard,
});
const counts = { calibrationFrames: 0, checkFrames: 0, seed: 1 };
const subjectsOf = (frames: Uint32Array) => [
  ...new Set(Array.from(frames, (frame) => subjects[Math.floor(frame / 10)])),
];

describe("frames to calibrate on", () => {
  it("are those that the training did not hold out, and what it held out is compared on", () => {
    const { calibration, check, isHeldOut } = calibrationParts(datasetOf(), cardOf("d1"), counts);
    expect(isHeldOut).toBe(true);
    expect(subjectsOf(calibration)).toEqual(["a", "b", "c"]);
    expect(calibration).toHaveLength(30);
    expect(subjectsOf(check)).toEqual(["d"]);
    expect(check).toHaveLength(10);
  });

  it("are not of the official test part", () => {
    const official = cardOf("d1", { isOfficial: true, testSubjects: [] });
    const dataset = datasetOf(["test", "train", "train", "test"]);
    const { calibration, check } = calibrationParts(dataset, official, {
      ...counts,
      calibrationFrames: 5,
      checkFrames: 7,
    });
    expect(["b", "c"]).toEqual(expect.arrayContaining(subjectsOf(calibration)));
    expect(["a", "d"]).toEqual(expect.arrayContaining(subjectsOf(check)));
    expect([calibration.length, check.length]).toEqual([5, 7]);
  });

  it("are half of another data set at most, and the rest is compared on", () => {
    const parts = (seed: number) => calibrationParts(datasetOf(), cardOf("d2"), { ...counts, seed });
    const { calibration, check, isHeldOut } = parts(1);
    expect(isHeldOut).toBe(false);
    expect([calibration.length, check.length]).toEqual([20, 20]);
    expect(new Set([...calibration, ...check]).size).toBe(40);
    expect(calibration).toEqual(calibration.toSorted());
    expect(parts(1)).toEqual(parts(1));
    expect(parts(2).calibration).not.toEqual(calibration);
  });

  it("have to be there", () => {
    const all = cardOf("d1", { testSubjects: subjects });
    expect(() => calibrationParts(datasetOf(), all, counts)).toThrow(
      expect.objectContaining({
        reason: "NO_CALIBRATION_FRAMES",
        violations: [
          {
            field: "dataset",
            description: expect.stringContaining("datasets/faces has 0 beside 40 that the version's training held out"),
          },
        ],
      }),
    );
    const one = { ...datasetOf(), samples: datasetOf().samples.slice(0, 1) };
    expect(() => calibrationParts(one, cardOf("d2"), counts)).toThrow("datasets/faces has 1 beside 0");
    expect(() => calibrationParts(datasetOf(), cardOf("d2"), { ...counts, calibrationFrames: 21 })).toThrow(
      expect.objectContaining({
        reason: "TOO_FEW_CALIBRATION_FRAMES",
        violations: [{ field: "calibration_frames", description: expect.stringContaining("at most the 20 frames") }],
      }),
    );
  });
});
