import type { RgbImage } from "@duchenne/data";

/** An affine map from output to input pixels: `x = a*u + b*v + c`, `y = d*u + e*v + f`. */
export interface AffineMap {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

/** A square region of an image that may be turned. */
export interface Region {
  /** Centre, in pixels. */
  readonly centerX: number;
  readonly centerY: number;
  /** Side, in pixels. */
  readonly size: number;
  /** Clockwise turn, in radians. */
  readonly angle: number;
}

/** The map from a `size` x `size` picture onto a region. */
export function mapOntoRegion({ centerX, centerY, size: side, angle }: Region, size: number): AffineMap {
  const scale = side / size;
  const cos = Math.cos(angle) * scale;
  const sin = Math.sin(angle) * scale;
  const half = size / 2;
  return {
    a: cos,
    b: -sin,
    c: centerX - half * cos + half * sin,
    d: sin,
    e: cos,
    f: centerY - half * sin - half * cos,
  };
}

/**
 * Samples a `size` x `size` picture through an affine map, bilinearly, as floats `value * factor + offset` in NHWC
 * order. Where the map shrinks, several samples are averaged per pixel, so that large faces do not alias. What lies
 * outside of the image is black.
 */
export function warpImage(
  image: RgbImage,
  map: AffineMap,
  size: number,
  { factor, offset }: { readonly factor: number; readonly offset: number },
): Float32Array {
  const out = new Float32Array(size * size * 3);
  const samples = Math.min(Math.max(Math.ceil(Math.hypot(map.a, map.d) - 0.25), 1), 6);
  const weight = 1 / (samples * samples);
  const { width, height, data } = image;
  let at = 0;
  for (let v = 0; v < size; v++) {
    for (let u = 0; u < size; u++, at += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let j = 0; j < samples; j++) {
        for (let i = 0; i < samples; i++) {
          // Pixel centres lie at half integers on both sides of the map.
          const s = u + (i + 0.5) / samples;
          const t = v + (j + 0.5) / samples;
          const x = map.a * s + map.b * t + map.c - 0.5;
          const y = map.d * s + map.e * t + map.f - 0.5;
          const left = Math.floor(x);
          const top = Math.floor(y);
          if (left < -1 || top < -1 || left >= width || top >= height) continue;
          const fx = x - left;
          const fy = y - top;
          for (let corner = 0; corner < 4; corner++) {
            const px = left + (corner & 1);
            const py = top + (corner >> 1);
            if (px < 0 || py < 0 || px >= width || py >= height) continue;
            const share = (corner & 1 ? fx : 1 - fx) * (corner >> 1 ? fy : 1 - fy);
            const from = (py * width + px) * 3;
            red += share * data[from]!;
            green += share * data[from + 1]!;
            blue += share * data[from + 2]!;
          }
        }
      }
      out[at] = red * weight * factor + offset;
      out[at + 1] = green * weight * factor + offset;
      out[at + 2] = blue * weight * factor + offset;
    }
  }
  return out;
}
