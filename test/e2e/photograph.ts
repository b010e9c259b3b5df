import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import sharp from "sharp";

const require = createRequire(import.meta.url);

/** A real photograph with one face that smiles openly, from a development dependency. */
export function photographOfSmile(): Promise<Buffer> {
  return readFile(join(dirname(require.resolve("material-kit/package.json")), "assets/img/faces/christian.jpg"));
}

/** A plain grey PNG. */
export function grayImage(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: "#808080" } })
    .png()
    .toBuffer();
}
