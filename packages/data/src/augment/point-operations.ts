import type { RgbImage } from "../image.ts";

// Operations that map each level of a channel to another one, as Pillow's ImageOps does.

/** Stretches each channel so that its darkest level becomes 0 and its brightest 255. */
export function autoContrast(image: RgbImage): RgbImage {
  return mapChannels(image, (counts) => {
    const low = counts.findIndex((count) => count > 0);
    const high = counts.findLastIndex((count) => count > 0);
    if (high <= low) return undefined;
    const scale = 255 / (high - low);
    return (level) => Math.trunc(level * scale + -low * scale);
  });
}

/** Maps each channel so that its levels are about equally frequent. */
export function equalize(image: RgbImage): RgbImage {
  return mapChannels(image, (counts) => {
    const used = counts.filter((count) => count > 0);
    const total = image.width * image.height;
    const step = used.length <= 1 ? 0 : Math.floor((total - used.at(-1)!) / 255);
    if (step === 0) return undefined;
    let below = Math.floor(step / 2);
    return (level) => {
      const mapped = Math.floor(below / step);
      below += counts[level]!;
      return mapped;
    };
  });
}

/** Replaces each level by 255 minus it. */
export function invert(image: RgbImage): RgbImage {
  return mapLevels(image, (level) => 255 - level);
}

/** Keeps the `bits` highest bits of each level, 0..8; 0 makes the image black. */
export function posterize(image: RgbImage, bits: number): RgbImage {
  return mapLevels(image, (level) => level & ~(2 ** (8 - bits) - 1));
}

/** Inverts the levels from `threshold` on. */
export function solarize(image: RgbImage, threshold: number): RgbImage {
  return mapLevels(image, (level) => (level < threshold ? level : 255 - level));
}

/** Adds `amount` to the levels below 128. */
export function solarizeAdd(image: RgbImage, amount: number): RgbImage {
  return mapLevels(image, (level) => (level < 128 ? level + amount : level));
}

/** Applies one table to all channels; what it answers is cut to 0..255. */
export function mapLevels(image: RgbImage, mapped: (level: number) => number): RgbImage {
  const table = Uint8ClampedArray.from({ length: 256 }, (_, level) => mapped(level));
  const { width, height, data } = image;
  const out = new Uint8Array(width * height * 3);
  for (let i = 0; i < out.length; i++) out[i] = table[data[i]!]!;
  return { width, height, data: out };
}

/** Applies a table to each channel, made of its histogram and asked for the levels in ascending order. */
function mapChannels(
  { width, height, data }: RgbImage,
  tableOf: (counts: Int32Array) => ((level: number) => number) | undefined,
): RgbImage {
  const out = new Uint8Array(width * height * 3);
  for (let channel = 0; channel < 3; channel++) {
    const counts = new Int32Array(256);
    for (let i = channel; i < out.length; i += 3) counts[data[i]!]!++;
    const mapped = tableOf(counts) ?? ((level: number) => level);
    const table = Uint8ClampedArray.from({ length: 256 }, (_, level) => mapped(level));
    for (let i = channel; i < out.length; i += 3) out[i] = table[data[i]!]!;
  }
  return { width, height, data: out };
}
