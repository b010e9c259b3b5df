import { execFile, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FFMPEG } from "../faces/ffmpeg.ts";
import { temporaryFolder } from "./server-process.ts";

const run = promisify(execFile);
const main = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
/** Odd, so that the halved chroma planes have to be rounded. */
const SIZE = 97;
const FRAMES = 15;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const sequence = (name: string, ...options: readonly string[]) =>
  run(process.execPath, [main, "datasets", "sequence", join(folder.path, name), ...options]);

it("a video of a sequence decodes to its frames: as many, as large, as fast, in their order", async () => {
  const options = ["--seconds", "0.5", "--rate", "30", "--size", String(SIZE), "--speech", "--crop", "--seed", "9"];
  const { stdout } = await sequence("video", ...options, "--video");
  expect(stdout).toBe(`${join(folder.path, "video")}: ${FRAMES} frames, sequence.webm, labels.jsonl\n`);
  await sequence("frames", ...options);
  const file = join(folder.path, "video", "sequence.webm");

  const { stderr: about } = spawnSync(FFMPEG, ["-i", file], { encoding: "utf8" });
  expect(about).toMatch(/Duration: 00:00:00\.50,/);
  expect(about).toMatch(new RegExp(`Video: vp8, yuv420p\\S*, ${SIZE}x${SIZE}, .*, 30 fps`));
  // Neither dropped nor doubled to fit a rate.
  const raw = ["-v", "error", "-i", file, "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"];
  const { stdout: pixels } = spawnSync(FFMPEG, raw, { maxBuffer: 2 ** 26 });
  const bytes = SIZE * SIZE * 3;
  expect(pixels.length).toBe(FRAMES * bytes);

  const labels = (await readFile(join(folder.path, "frames", "labels.jsonl"), "utf8")).trim().split("\n");
  const images = await Promise.all(
    labels.map((line) =>
      sharp(join(folder.path, "frames", JSON.parse(line).image))
        .raw()
        .toBuffer(),
    ),
  );
  const error = (decoded: Uint8Array, image: Uint8Array) =>
    Math.sqrt(decoded.reduce((sum, value, i) => sum + (value - image[i]!) ** 2, 0) / bytes);
  for (let f = 0; f < FRAMES; f++) {
    const decoded = pixels.subarray(f * bytes, (f + 1) * bytes);
    const errors = images.map((image) => error(decoded, image));
    expect(errors.indexOf(Math.min(...errors))).toBe(f);
    // 34 dB: what a picture of good quality differs by at most.
    expect(errors[f]).toBeLessThan(255 / 10 ** (34 / 20));
  }
});

it("a sequence is refused by what is wrong with it", async () => {
  const failure = await sequence("none", "--rate", "24.5").catch((error: { stderr: string }) => error);
  expect(failure.stderr).toContain("frameRateHz: Invalid input: expected int");
});
