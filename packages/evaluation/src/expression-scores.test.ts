import { describe, expect, it } from "vitest";
import { type ExpressionScores, FrameScoresError, readExpressionScores, writeExpressionScores } from "./index.ts";

const scores: ExpressionScores = {
  expressions: ["joy", "rage"],
  frames: Uint32Array.of(7, 3, 70_000),
  subjects: ["s2", "s1", "s2"],
  labels: Int32Array.of(1, -1, 0),
  logits: Float32Array.of(-0.1, 2, 0.3, Number.MIN_VALUE, 7, -1e30),
};

describe("the scores of a classifier's frames", () => {
  it("are read as they were written, to the bit", () => {
    expect(readExpressionScores(writeExpressionScores(scores))).toEqual(scores);
    expect(writeExpressionScores(readExpressionScores(writeExpressionScores(scores)))).toEqual(
      writeExpressionScores(scores),
    );
  });

  it("are written from the part of an array that they are", () => {
    const larger = Float32Array.from({ length: 8 }, (_, i) => i / 8);
    const part = { ...scores, logits: larger.subarray(1, 7) };
    expect(readExpressionScores(writeExpressionScores(part)).logits).toEqual(larger.slice(1, 7));
  });

  const altered = (more: object) =>
    Buffer.from(JSON.stringify({ ...JSON.parse(writeExpressionScores(scores).toString()), ...more }));
  const words = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer).toString("base64");
  it.each([
    ["no JSON", Buffer.from("{")],
    ["format", altered({ format: 2 })],
    ["5 logits where 6 belong", altered({ logits: words(1, 2, 3, 4, 5) })],
    ["1 labels where 3 belong", altered({ labels: words(1) })],
    ["3 bytes of labels, no whole words", altered({ labels: Buffer.alloc(3).toString("base64") })],
    ["class 2 of 2", altered({ labels: words(0, 2, 1) })],
    ["class -2 of 2", altered({ labels: words(0, -2, 1) })],
    ["subject 1 of 1", altered({ subjects: ["s1"] })],
  ])("are refused as what they are not: %s", (problem, bytes) => {
    expect(() => readExpressionScores(bytes)).toThrow(FrameScoresError);
    expect(() => readExpressionScores(bytes)).toThrow(problem);
  });
});
