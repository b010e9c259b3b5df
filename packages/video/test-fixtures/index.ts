/** Videos for tests, made by the ffmpeg of a development dependency, which is also the one that reads them. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The program. */
export const FFMPEG = createRequire(import.meta.url).resolve("@ffmpeg-installer/linux-x64/ffmpeg");

/** Runs it, quietly. */
export async function ffmpeg(...args: string[]): Promise<void> {
  await run(FFMPEG, ["-v", "error", "-nostdin", "-y", ...args]);
}

/** A moving test picture of so many frames. */
export async function writeClip(
  path: string,
  { frames, rateHz, size = "96x64" }: { frames: number; rateHz: number; size?: string },
  ...options: string[]
): Promise<string> {
  const source = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rateHz}`, "-frames:v", String(frames)];
  await ffmpeg(...source, ...options, path);
  return path;
}

/** Joins clips without encoding them again: where their rates differ, the rate of the whole varies. */
export async function joinClips(folder: string, name: string, clips: readonly string[]): Promise<string> {
  const list = join(folder, `${name}.txt`);
  await writeFile(list, clips.map((clip) => `file '${clip}'\n`).join(""));
  const path = join(folder, name);
  await ffmpeg("-f", "concat", "-safe", "0", "-i", list, "-c", "copy", path);
  return path;
}

/** The times of a container's video packets, in milliseconds, in the order of presentation; nothing is decoded for it. */
export async function packetTimes(path: string): Promise<number[]> {
  const copy = ["-copyts", "-i", path, "-map", "0:v", "-c", "copy", "-f", "framecrc", "-"];
  const { stdout } = await run(FFMPEG, ["-v", "error", ...copy]);
  const [, numerator, denominator] = /^#tb 0: (\d+)\/(\d+)/m.exec(stdout)!;
  const pts = [...stdout.matchAll(/^0, *-?\d+, *(-?\d+),/gm)].map(([, each]) => Number(each));
  return pts.sort((a, b) => a - b).map((each) => Math.round((each * 1000 * Number(numerator)) / Number(denominator)));
}
