import sharp from "sharp";
import type { RgbImage } from "../image.ts";
import { createRandom } from "../random.ts";
import { levelFromLinear } from "./colour.ts";
import type { SyntheticFrame } from "./frame.ts";

/** The side of the crop that a frame's blur is given for. */
const BLUR_SIZE = 96;

/**
 * What a camera makes of light: pixels from finer samples, the lens' blur, noise, JPEG.
 *
 * @param linear [(size * supersampling)^2 * 3]
 */
export async function photograph(
  linear: Float32Array,
  {
    size,
    supersampling,
    frame,
    noiseSeed,
  }: {
    readonly size: number;
    readonly supersampling: number;
    readonly frame: SyntheticFrame;
    readonly noiseSeed: readonly (number | string)[];
  },
): Promise<RgbImage> {
  const light = blurred(averaged(linear, size, supersampling), size, (frame.blur * size) / BLUR_SIZE);
  const data = new Uint8Array(size * size * 3);
  if (frame.noise === 0) {
    for (let i = 0; i < data.length; i++) data[i] = levelFromLinear(light[i]!);
  } else {
    const random = createRandom([...noiseSeed, "camera-noise"]);
    // A table of normal draws read from random places: full draws per pixel would cost more than the picture.
    const table = Float32Array.from({ length: 4096 }, () => random.normal() * frame.noise);
    for (let i = 0; i < data.length; i += 3) {
      const place = (random.uniform() * 4096) | 0;
      for (let c = 0; c < 3; c++) {
        // Mostly in brightness, a little in colour.
        const noise = 0.8 * table[place]! + 0.4 * table[(place + 1031 * (c + 1)) & 4095]!;
        data[i + c] = Math.min(Math.max(Math.round(levelFromLinear(light[i + c]!) + noise), 0), 255);
      }
    }
  }
  const image = { width: size, height: size, data };
  if (frame.jpegQuality === undefined) return image;
  const raw = { raw: { width: size, height: size, channels: 3 } } as const;
  const jpeg = await sharp(data, raw).jpeg({ quality: frame.jpegQuality }).toBuffer();
  return { ...image, data: await sharp(jpeg).removeAlpha().raw().toBuffer() };
}

function averaged(linear: Float32Array, size: number, supersampling: number): Float32Array {
  const out = new Float32Array(size * size * 3);
  const side = size * supersampling;
  const share = 1 / supersampling ** 2;
  for (let y = 0; y < side; y++) {
    const row = ((y / supersampling) | 0) * size;
    for (let x = 0; x < side; x++) {
      const from = 3 * (y * side + x);
      const to = 3 * (row + ((x / supersampling) | 0));
      // A highlight is not worth more than white: else single samples would sparkle.
      for (let c = 0; c < 3; c++) out[to + c] = out[to + c]! + share * Math.min(linear[from + c]!, 1.5);
    }
  }
  return out;
}

/** Blurs by a Gaussian of `sigma` pixels, across and then down. */
function blurred(image: Float32Array, size: number, sigma: number): Float32Array {
  if (sigma < 0.15) return image;
  const reach = Math.ceil(2.5 * sigma);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / sigma) ** 2));
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  for (let k = 0; k < kernel.length; k++) kernel[k] = kernel[k]! / total;
  return pass(pass(image, size, kernel, 1, 0), size, kernel, 0, 1);
}

/** Blurs in one direction. */
function pass(from: Float32Array, size: number, kernel: readonly number[], stepX: number, stepY: number): Float32Array {
  const reach = (kernel.length - 1) / 2;
  const to = new Float32Array(from.length);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0; k < kernel.length; k++) {
        const sx = Math.min(Math.max(x + (k - reach) * stepX, 0), size - 1);
        const sy = Math.min(Math.max(y + (k - reach) * stepY, 0), size - 1);
        const at = 3 * (sy * size + sx);
        const weight = kernel[k]!;
        red += weight * from[at]!;
        green += weight * from[at + 1]!;
        blue += weight * from[at + 2]!;
      }
      const at = 3 * (y * size + x);
      to[at] = red;
      to[at + 1] = green;
      to[at + 2] = blue;
    }
  }
  return to;
}
