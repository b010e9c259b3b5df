import type { RgbImage } from "../../image.ts";

/** Letters of three by five pixels, rows from the top: small, and the same on machines without fonts. */
const GLYPHS: Readonly<Record<string, string>> = {
  A: "010101111101101",
  B: "110101110101110",
  C: "011100100100011",
  D: "110101101101110",
  E: "111100110100111",
  F: "111100110100100",
  G: "011100101101011",
  H: "101101111101101",
  I: "111010010010111",
  L: "100100100100111",
  N: "110101101101101",
  O: "010101101101010",
  P: "110101110100100",
  R: "110101110101101",
  S: "011100010001110",
  T: "111010010010010",
  U: "101101101101111",
  W: "101101111111101",
  Y: "101101010010010",
  0: "111101101101111",
  1: "010110010010111",
  2: "111001111100111",
  3: "111001011001111",
  4: "101101111001001",
  5: "111100111001111",
  6: "111100111101111",
  7: "111001001010010",
  8: "111101111101111",
  9: "111101111001111",
  "+": "000010111010000",
  "-": "000000111000000",
  ".": "000000000000010",
  "%": "101001010100101",
};

/** Writes capital letters, digits and signs into an image; what has no glyph is a gap. */
export function writePixelText(
  { width, height, data }: RgbImage,
  text: string,
  { left, top, scale, colour }: { readonly left: number; readonly top: number; readonly scale: number; readonly colour: readonly [number, number, number] }, // biome-ignore format: one line
): void {
  for (const [index, letter] of [...text].entries()) {
    const glyph = GLYPHS[letter] ?? "";
    for (const [bit, set] of [...glyph].entries()) {
      if (set !== "1") continue;
      for (let p = 0; p < scale * scale; p++) {
        const x = left + (index * 4 + (bit % 3)) * scale + (p % scale);
        const y = top + Math.floor(bit / 3) * scale + Math.floor(p / scale);
        if (x >= 0 && y >= 0 && x < width && y < height) data.set(colour, 3 * (y * width + x));
      }
    }
  }
}
