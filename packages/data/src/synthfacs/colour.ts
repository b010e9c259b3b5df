/** A colour of light or surface: linear red, green, blue, 0..1. */
export type Colour = readonly [red: number, green: number, blue: number];

/** The linear colour of an sRGB one, "#rrggbb". */
export function colourFromHex(hex: string): Colour {
  const channel = (from: number) => linearFromSrgb(Number.parseInt(hex.slice(from, from + 2), 16) / 255);
  return [channel(1), channel(3), channel(5)];
}

/** Mixes two colours. */
export function mix(p: Colour, q: Colour, share: number): Colour {
  return [p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1]), p[2] + share * (q[2] - p[2])];
}

/** A colour along a scale, at 0..1. */
export function alongScale(scale: readonly Colour[], at: number): Colour {
  const place = Math.min(Math.max(at, 0), 1) * (scale.length - 1);
  const index = Math.min(Math.floor(place), scale.length - 2);
  return mix(scale[index]!, scale[index + 1]!, place - index);
}

/** A colour by hue (0..1), saturation and value in sRGB, made linear. */
export function colourFromHsv(hue: number, saturation: number, value: number): Colour {
  const channel = (n: number) => {
    const k = (n + hue * 6) % 6;
    return linearFromSrgb(value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}

/** The transfer function of sRGB, backwards (IEC 61966-2-1). */
function linearFromSrgb(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

const LEVELS = Uint8Array.from({ length: 4096 }, (_, i) => {
  const value = i / 4095;
  return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
});

/** The 8-bit sRGB level of a linear value; highlights roll off instead of clipping. */
export function levelFromLinear(value: number): number {
  const rolled = value < 0.7 ? value : 0.7 + 0.3 * (1 - Math.exp(-(value - 0.7) / 0.3));
  return LEVELS[Math.max(0, Math.min(4095, Math.round(rolled * 4095)))]!;
}
