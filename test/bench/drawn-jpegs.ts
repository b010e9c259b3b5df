import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Dataset, openDataset, synthesizeDataset } from "@duchenne/data";
import sharp from "sharp";

/** Drawn faces, stored as published data sets store theirs. @param imageSize pixels a side */
export async function drawJpegs(
  directory: string,
  size: { readonly subjects: number; readonly framesPerSubject: number; readonly imageSize: number },
): Promise<Dataset> {
  await synthesizeDataset(directory, { seed: 1, identityShortcut: 0, ...size });
  const images = join(directory, "images");
  for (const file of await readdir(images)) {
    const path = join(images, file);
    await writeFile(path, await sharp(path).jpeg({ quality: 95 }).toBuffer());
  }
  return openDataset(directory);
}
