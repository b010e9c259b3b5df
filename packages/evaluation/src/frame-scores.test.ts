import { describe, expect, it } from "vitest";
import { type FrameScores, FrameScoresError, readFrameScores, writeFrameScores } from "./index.ts";

const scores: FrameScores = {
  actionUnits: [4, 12],
  thresholds: [0.5, 0.31],
  frames: Uint32Array.of(7, 3, 70_000),
  subjects: ["s2", "s1", "s2"],
  probabilities: Float32Array.of(0.1, 0.2, 0.3, Number.MIN_VALUE, 0.7, 1),
  occurrence: Int8Array.of(0, 1, -1, 0, 1, -1),
};

describe("the scores of frames", () => {
  it("are read as they were written, to the bit", () => {
    expect(readFrameScores(writeFrameScores(scores))).toEqual(scores);
    expect(writeFrameScores(readFrameScores(writeFrameScores(scores)))).toEqual(writeFrameScores(scores));
  });

  it("are written from the part of an array that they are", () => {
    const larger = Float32Array.from({ length: 8 }, (_, i) => i / 8);
    const part = { ...scores, probabilities: larger.subarray(1, 7) };
    expect(readFrameScores(writeFrameScores(part)).probabilities).toEqual(larger.slice(1, 7));
  });

  const altered = (more: object) =>
    Buffer.from(JSON.stringify({ ...JSON.parse(writeFrameScores(scores).toString()), ...more }));
  it.each([
    ["no JSON", Buffer.from("{")],
    ["format", altered({ format: 2 })],
    ["8 probabilities where 6 belong", altered({ probabilities: Buffer.alloc(32).toString("base64") })],
    ["3 bytes of frames, no whole words", altered({ frames: Buffer.alloc(3).toString("base64") })],
    ["1 thresholds where 2 belong", altered({ thresholds: [0.5] })],
    ["subject 1 of 1", altered({ subjects: ["s1"] })],
  ])("are refused as what they are not: %s", (problem, bytes) => {
    expect(() => readFrameScores(bytes)).toThrow(FrameScoresError);
    expect(() => readFrameScores(bytes)).toThrow(problem);
  });
});
