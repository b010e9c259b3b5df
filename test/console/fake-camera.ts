import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { FFMPEG } from "../faces/ffmpeg.ts";
import { readPackaged } from "../faces/photographs.ts";

const run = promisify(execFile);

/** Pictures a second: Chromium plays a y4m at its own rate. */
const RATE_HZ = 15;

/** Some time of a fake camera: photographs side by side. */
export interface CameraScene {
  readonly photographs: readonly string[];
  readonly seconds: number;
}

/**
 * Writes what a fake camera shows, which Chromium repeats for ever.
 *
 * @returns the y4m
 */
export async function writeCameraFile(
  folder: string,
  scenes: readonly CameraScene[],
  { width, height }: { readonly width: number; readonly height: number } = { width: 640, height: 480 },
): Promise<string> {
  const frames = join(folder, "camera");
  await mkdir(frames, { recursive: true });
  let number = 0;
  for (const { photographs, seconds } of scenes) {
    const across = Math.floor(width / photographs.length);
    const pictures = await Promise.all(
      photographs.map(async (path, i) => ({
        input: await sharp(await readPackaged(path))
          .resize(across, height, { fit: "cover", position: "attention" })
          .png()
          .toBuffer(),
        left: i * across,
        top: 0,
      })),
    );
    const canvas = sharp({ create: { width, height, channels: 3, background: "#3a4652" } }).composite(pictures);
    const bytes = await canvas.png({ compressionLevel: 1 }).toBuffer();
    for (let i = 0; i < seconds * RATE_HZ; i++) await writeFile(join(frames, `${number++}.png`), bytes);
  }
  const file = join(folder, "camera.y4m");
  const input = ["-framerate", String(RATE_HZ), "-i", join(frames, "%d.png")];
  await run(FFMPEG, ["-v", "error", "-y", ...input, "-pix_fmt", "yuv420p", file]);
  return file;
}
