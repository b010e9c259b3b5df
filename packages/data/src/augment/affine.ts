import type { RgbImage } from "../image.ts";

/** A colour, 0..255 per channel. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** `[a, b, c, d, e, f]`: the pixel (x, y) of the result is taken from (ax + by + c, dx + ey + f) of the source. */
export type AffineMatrix = readonly [number, number, number, number, number, number];

/**
 * Moves an image's pixels with bicubic interpolation, the size kept; what comes from outside of the image is `fill`. The
 * arithmetic is that of Pillow's `Image.transform`, in its order: truncating, so that the last bit decides a level.
 */
export function transformAffine(image: RgbImage, [a, b, c, d, e, f]: AffineMatrix, fill: Rgb): RgbImage {
  const { width, height, data } = image;
  const out = new Uint8ClampedArray(width * height * 3);
  const stride = width * 3;
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++, o += 3) {
      const sourceX = a * (x + 0.5) + b * (y + 0.5) + c;
      const sourceY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (!(sourceX >= 0 && sourceX < width && sourceY >= 0 && sourceY < height)) {
        out[o] = fill[0];
        out[o + 1] = fill[1];
        out[o + 2] = fill[2];
        continue;
      }
      const left = Math.floor(sourceX - 0.5);
      const top = Math.floor(sourceY - 0.5);
      const dx = sourceX - 0.5 - left;
      const dy = sourceY - 0.5 - top;
      const x0 = clip(left - 1, width) * 3;
      const x1 = clip(left, width) * 3;
      const x2 = clip(left + 1, width) * 3;
      const x3 = clip(left + 2, width) * 3;
      const y1 = clip(top, height) * stride;
      if (dy === 0) {
        // Shears and shifts along a row: the other three rows have no weight.
        for (let channel = 0; channel < 3; channel++) {
          const i = y1 + channel;
          out[o + channel] = Math.floor(cubic(data[i + x0]!, data[i + x1]!, data[i + x2]!, data[i + x3]!, dx));
        }
        continue;
      }
      const y0 = clip(top - 1, height) * stride;
      const y2 = clip(top + 1, height) * stride;
      const y3 = clip(top + 2, height) * stride;
      if (dx === 0) {
        for (let channel = 0; channel < 3; channel++) {
          const i = x1 + channel;
          out[o + channel] = Math.floor(cubic(data[i + y0]!, data[i + y1]!, data[i + y2]!, data[i + y3]!, dy));
        }
        continue;
      }
      for (let channel = 0; channel < 3; channel++) {
        const i0 = y0 + channel;
        const i1 = y1 + channel;
        const i2 = y2 + channel;
        const i3 = y3 + channel;
        out[o + channel] = Math.floor(
          cubic(
            cubic(data[i0 + x0]!, data[i0 + x1]!, data[i0 + x2]!, data[i0 + x3]!, dx),
            cubic(data[i1 + x0]!, data[i1 + x1]!, data[i1 + x2]!, data[i1 + x3]!, dx),
            cubic(data[i2 + x0]!, data[i2 + x1]!, data[i2 + x2]!, data[i2 + x3]!, dx),
            cubic(data[i3 + x0]!, data[i3 + x1]!, data[i3 + x2]!, data[i3 + x3]!, dx),
            dy,
          ),
        );
      }
    }
  }
  return { width, height, data: new Uint8Array(out.buffer) };
}

function clip(position: number, size: number): number {
  return position < 0 ? 0 : position < size ? position : size - 1;
}

/** Keys' cubic (1981) with a = -1: from v1 to v2, with the slopes v2 - v0 and v3 - v1 there. */
function cubic(v0: number, v1: number, v2: number, v3: number, at: number): number {
  return v1 + at * (-v0 + v2 + at * (2 * (v0 - v1) + v2 - v3 + at * (-v0 + v1 - v2 + v3)));
}
