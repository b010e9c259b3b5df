import { writeFile } from "node:fs/promises";
import sharp from "sharp";
import type { RgbImage } from "../image.ts";

/** Writes a PNG, or a JPEG of high quality, by the path's ending. */
export async function writeImage(path: string, { data, width, height }: RgbImage): Promise<void> {
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  const encoded = path.endsWith(".png")
    ? image.png({ compressionLevel: 3 })
    : image.jpeg({ quality: 95, chromaSubsampling: "4:4:4" });
  // Not by sharp: its errors do not tell a full disk from a bad image.
  await writeFile(path, await encoded.toBuffer());
}
