import { describe, expect, it } from "vitest";
import { sampleFrames, type TimedFrame } from "./sample-frames.ts";

let closed = 0;
async function* video(
  times: readonly (number | undefined)[],
): AsyncGenerator<TimedFrame, { frames: number; errorCount: number; errors: string[] }, undefined> {
  try {
    for (const [index, timestampS] of times.entries()) {
      yield { index, timestampS, width: 1, height: 1, data: new Uint8Array(3) };
    }
    return { frames: times.length, errorCount: 0, errors: [] };
  } finally {
    closed++;
  }
}
async function taken(times: readonly (number | undefined)[], framesPerSecond = 1): Promise<number[]> {
  const indices: number[] = [];
  for await (const { index } of sampleFrames(video(times), framesPerSecond)) indices.push(index);
  return indices;
}
const regular = (frames: number, rateHz: number, fromS = 0) =>
  Array.from({ length: frames }, (_, i) => fromS + Math.round((1000 * i) / rateHz) / 1000);

describe("frames of a video", () => {
  it("are the first of each second from the first one's time on", async () => {
    expect(await taken(regular(90, 30))).toEqual([0, 30, 60]);
    // A transport stream does not begin at 0.
    expect(await taken(regular(61, 25, 1.48))).toEqual([0, 25, 50]);
    expect(await taken(regular(100, 29.97))).toEqual([0, 30, 60, 90]);
  });
  it("are as many a second as is asked for, and all of a slower video", async () => {
    expect(await taken(regular(30, 30), 10)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
    expect(await taken(regular(30, 30), 30)).toHaveLength(30);
    expect(await taken([0, 2, 4.5, 5.6], 1)).toEqual([0, 1, 2, 3]);
    expect(await taken(regular(40, 10), 0.5)).toEqual([0, 20]);
  });
  it("do not drift when the rate varies, and pass over a gap", async () => {
    expect(await taken([0, 0.9, 1.8, 1.9, 2.0, 2.9, 3.1, 60.5, 60.9, 61.1])).toEqual([0, 2, 4, 6, 7, 9]);
  });
  it("begin anew where times jump back, and count as 25 a second without times", async () => {
    expect(await taken([100, 100.5, 101, 0, 0.5, 1])).toEqual([0, 2, 3, 5]);
    expect(await taken(Array.from({ length: 60 }))).toEqual([0, 25, 50]);
  });
  it("come with what became of the video, which is closed by whoever stops early", async () => {
    const sampled = sampleFrames(video([0, 1]), 1);
    for (let i = 0; i < 2; i++) expect((await sampled.next()).done).toBe(false);
    expect(await sampled.next()).toEqual({ done: true, value: { frames: 2, errorCount: 0, errors: [] } });
    closed = 0;
    for await (const _ of sampleFrames(video([0, 1, 2]), 1)) break;
    expect(closed).toBe(1);
  });
});
