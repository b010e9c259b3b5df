import sharp from "sharp";
import type { RgbImage } from "../../image.ts";
import { writePixelText } from "./pixel-text.ts";

/** A picture with what stands below it, in capital letters and digits. */
export interface Tile {
  readonly image: RgbImage;
  readonly label: string;
}

const LABEL_HEIGHT = 16;
const INK = [40, 40, 40] as const;

/** Puts pictures of one size side by side, row by row, each with its label below. */
export function contactSheet(tiles: readonly Tile[], columns: number): RgbImage {
  const { width: side, height: tall } = tiles[0]!.image;
  const cell = tall + LABEL_HEIGHT;
  const width = columns * side;
  const height = Math.ceil(tiles.length / columns) * cell;
  const sheet = { width, height, data: new Uint8Array(width * height * 3).fill(255) };
  for (const [index, { image, label }] of tiles.entries()) {
    const left = (index % columns) * side;
    const top = Math.floor(index / columns) * cell;
    for (let y = 0; y < tall; y++) {
      sheet.data.set(image.data.subarray(3 * y * side, 3 * (y + 1) * side), 3 * ((top + y) * width + left));
    }
    writePixelText(sheet, label, { left: left + 4, top: top + tall + 3, scale: 2, colour: INK });
  }
  return sheet;
}

/** An image as PNG bytes. */
export async function pngFromImage({ width, height, data }: RgbImage): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}
