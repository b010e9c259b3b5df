import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ffmpeg } from "@duchenne/video/test-videos";
import sharp from "sharp";
import { readPackaged } from "../faces/photographs.ts";

/** What a frame shows: faces at these places of a grey picture, or nothing but black. */
export type Shown = readonly { readonly who: string; readonly left: number }[] | "black";

const [WIDTH, HEIGHT, FACE] = [480, 200, 180];

/** Writes a video of photographs that move over a grey picture, as lossless as its codec is. */
export async function writeFaceClip(path: string, shown: readonly Shown[], rateHz: number, ...options: string[]) {
  const folder = `${path}.frames`;
  await mkdir(folder);
  for (const [i, each] of shown.entries()) {
    const level = each === "black" ? 0 : 128;
    const background = { r: level, g: level, b: level };
    const faces = each === "black" ? [] : each;
    const pictures = await Promise.all(
      faces.map(async ({ who, left }) => ({ input: await portrait(who), left: Math.round(left), top: 10 })),
    );
    const canvas = sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background } });
    await writeFile(join(folder, `${i}.png`), await canvas.composite(pictures).png().toBuffer());
  }
  const input = ["-framerate", String(rateHz), "-i", join(folder, "%d.png")];
  await ffmpeg(...input, "-pix_fmt", "yuv420p", ...options, path);
  return path;
}

const portraits = new Map<string, Promise<Buffer>>();

function portrait(who: string): Promise<Buffer> {
  let made = portraits.get(who);
  if (made === undefined) {
    const cut = async () =>
      sharp(await readPackaged(`material-kit/assets/img/faces/${who}.jpg`))
        .resize(FACE, FACE, { fit: "cover" })
        .png()
        .toBuffer();
    made = cut();
    portraits.set(who, made);
  }
  return made;
}
