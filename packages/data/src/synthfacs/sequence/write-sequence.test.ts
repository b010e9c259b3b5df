import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDataFolder, type DataFolder } from "../../../test-fixtures/data-folder.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "../subject.ts";
import { createSyntheticSequence } from "./synthetic-sequence.ts";
import { createWebmWriter } from "./webm-writer.ts";
import { type SequenceFiles, writeSequence } from "./write-sequence.ts";

const options: SequenceFiles = {
  seed: 5,
  subject: 1,
  index: 0,
  frames: 4,
  frameRateHz: 8,
  speech: true,
  size: 48,
  framing: "portrait",
  pictures: "frames",
  landmarks: false,
};
let folder: DataFolder;
beforeEach(async () => {
  folder = await createDataFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const labelsIn = async (directory: string) =>
  (await readFile(join(directory, "labels.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("writeSequence", () => {
  it("writes numbered frames and what is on them", async () => {
    const directory = join(folder.path, "sequence");
    const progress: number[] = [];
    await writeSequence(directory, { ...options, landmarks: true }, { onProgress: (done) => progress.push(done) });
    const images = [1, 2, 3, 4].map((frame) => `frame_0000${frame}.png`);
    expect((await readdir(directory)).sort()).toEqual([...images, "labels.jsonl"]);
    expect(progress).toEqual([1, 2, 3, 4]);
    const labels = await labelsIn(directory);
    expect(labels.map(({ image, frame, time }) => [image, frame, time])).toEqual(
      images.map((image, f) => [image, f + 1, f / 8]),
    );
    const drawn = createSyntheticSequence(createSyntheticSubject(5, 1, 0), options);
    for (const [f, { left, right, pose, gaze, landmarks, box }] of labels.entries()) {
      expect(SYNTHFACS_ACTION_UNITS.map((number) => left[number])).toEqual(drawn[f]!.left);
      expect(SYNTHFACS_ACTION_UNITS.map((number) => right[number])).toEqual(drawn[f]!.right);
      expect([pose.yaw, gaze.up]).toEqual([drawn[f]!.yaw, drawn[f]!.gaze[1]]);
      expect(landmarks).toHaveLength(478);
      // The tip of the nose is in the face, the face in the picture.
      const [x, y] = landmarks[1];
      expect(x).toBeGreaterThan(box.left);
      expect(x).toBeLessThan(box.left + box.width);
      expect(y).toBeGreaterThan(box.top);
      expect(box.top + box.height).toBeLessThan(48);
      const { width, height, format } = await sharp(join(directory, images[f]!)).metadata();
      expect({ width, height, format }).toEqual({ width: 48, height: 48, format: "png" });
    }
  });

  it("writes the same video for the same seed, with the labels of the frames", async () => {
    const digests = new Set<string>();
    for (const name of ["a", "b"]) {
      const directory = join(folder.path, name);
      await writeSequence(directory, { ...options, pictures: "video" });
      expect((await readdir(directory)).sort()).toEqual(["labels.jsonl", "sequence.webm"]);
      const video = await readFile(join(directory, "sequence.webm"));
      digests.add(createHash("sha256").update(video).digest("hex"));
    }
    expect(digests.size).toBe(1);
    await writeSequence(join(folder.path, "frames"), options);
    const frames = await labelsIn(join(folder.path, "frames"));
    expect(await labelsIn(join(folder.path, "a"))).toEqual(frames.map(({ image: _, ...label }) => label));
  });

  it("writes over nothing, and leaves nothing behind when aborted", async () => {
    const abort = new AbortController();
    const aborted = writeSequence(join(folder.path, "aborted"), options, {
      signal: abort.signal,
      onProgress: (done) => done === 2 && abort.abort(),
    });
    await expect(aborted).rejects.toThrow();
    expect(await readdir(folder.path)).toEqual([]);
    await folder.write("mine/labels.jsonl", "mine");
    await expect(writeSequence(join(folder.path, "mine"), options)).rejects.toThrow(/Expected no folder at .*mine/);
    expect(await readFile(join(folder.path, "mine", "labels.jsonl"), "utf8")).toBe("mine");
  });
});

it("a video refuses a picture of another size", async () => {
  const video = await createWebmWriter({ width: 32, height: 32, frameRateHz: 10 });
  const picture = { width: 32, height: 16, data: new Uint8Array(32 * 16 * 3) };
  await expect(video.add(picture)).rejects.toThrow("Expected a picture of 32 x 32 pixels, got 32 x 16");
});
