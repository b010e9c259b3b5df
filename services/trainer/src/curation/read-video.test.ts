import { chmod, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnusableVideoError } from "@duchenne/data";
import { FFMPEG, writeClip } from "@duchenne/video/test-videos";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVideoReader } from "./read-video.ts";

let folder: string;
let clip: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-read-video-"));
  clip = await writeClip(join(folder, "clip.mkv"), { frames: 12, rateHz: 10 }, "-g", "1");
});
afterAll(() => rm(folder, { recursive: true }));

async function read(path: string, program = FFMPEG) {
  const frames = createVideoReader(program)(path);
  const indices: number[] = [];
  for (;;) {
    const next = await frames.next();
    if (next.done === true) return { indices, reading: next.value };
    indices.push(next.value.index);
  }
}
/** A program that does as ffmpeg, but ends itself amid a clip, as often as it is told to. */
async function interrupted(times: number): Promise<string> {
  const [program, count] = [join(folder, `ffmpeg-${times}`), join(folder, `count-${times}`)];
  await writeFile(count, "0");
  const script = `#!/bin/bash
for argument in "$@"; do
  if [ "$argument" = pipe:1 ]; then
    runs=$(cat "${count}"); echo $((runs + 1)) > "${count}"
    if [ "$runs" -lt ${times} ]; then "${FFMPEG}" "$@" | head -c 50000; kill -9 $$; fi
  fi
done
exec "${FFMPEG}" "$@"
`;
  await writeFile(program, script);
  await chmod(program, 0o755);
  return program;
}

describe("a video", () => {
  it("is read frame by frame, and its end says what became of it", async () => {
    const { indices, reading } = await read(clip);
    expect(indices).toEqual([...Array(12).keys()]);
    expect(reading).toMatchObject({ frames: 12, errorCount: 0 });
  });

  it("whose ffmpeg was ended is read again, each frame once", async () => {
    const { indices } = await read(clip, await interrupted(1));
    expect(indices).toEqual([...Array(12).keys()]);
  });

  it("that ends ffmpeg twice, or has no frame, is unusable", async () => {
    await expect(read(clip, await interrupted(2))).rejects.toMatchObject({
      exclusion: "undecodable",
      message: expect.stringContaining("was ended by SIGKILL"),
    });
    const text = join(folder, "text.mp4");
    await writeFile(text, "no video");
    await expect(read(text)).rejects.toBeInstanceOf(UnusableVideoError);
  });

  it("that was cut off is read as far as it goes", async () => {
    const cut = await writeClip(join(folder, "cut.mkv"), { frames: 12, rateHz: 10 }, "-g", "1");
    await truncate(cut, Math.floor((await readFile(cut)).length * 0.6));
    const { indices } = await read(cut);
    expect(indices.length).toBeGreaterThan(2);
    expect(indices.length).toBeLessThan(12);
  });

  it("is no reason to look for ffmpeg before there is one", async () => {
    const reader = createVideoReader(join(folder, "no-such-program"));
    await expect(reader(clip).next()).rejects.toMatchObject({ reason: "FFMPEG_MISSING" });
  });
});
