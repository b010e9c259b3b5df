import type { RgbImage } from "../image.ts";
import type { Random } from "../random.ts";
import { type AffineMatrix, type Rgb, transformAffine } from "./affine.ts";
import { brightness, color, contrast, sharpness } from "./enhance.ts";
import { autoContrast, equalize, invert, posterize, solarize, solarizeAdd } from "./point-operations.ts";

/** An operation of RandAugment. */
export interface Operation {
  /** What `apply` is given, drawn for a magnitude of 0..10; the effect grows with it. */
  readonly argument: (magnitude: number, random: Random) => number;
  /** A new image of the same size. */
  readonly apply: (image: RgbImage, argument: number) => RgbImage;
}

/** The operations' names, in timm's order. */
export const OPERATION_NAMES = [
  "AutoContrast",
  "Equalize",
  "Invert",
  "Rotate",
  "Posterize",
  "Solarize",
  "SolarizeAdd",
  "Color",
  "Contrast",
  "Brightness",
  "Sharpness",
  "ShearX",
  "ShearY",
  "TranslateXRel",
  "TranslateYRel",
] as const;

/** Name of one of the fifteen operations. */
export type OperationName = (typeof OPERATION_NAMES)[number];

/** What shows where an operation moved the image away: ImageNet's mean. */
export const FILL: Rgb = [124, 116, 104];

const none = () => 0;
const signed = (largest: number) => (magnitude: number, random: Random) => {
  const value = (magnitude / 10) * largest;
  return random.uniform() > 0.5 ? -value : value;
};
const enhancement = (magnitude: number, random: Random) => 1 + signed(0.9)(magnitude, random);
const affine =
  (matrix: (argument: number, image: RgbImage) => AffineMatrix): Operation["apply"] =>
  (image, argument) =>
    transformAffine(image, matrix(argument, image), FILL);

/** The fifteen operations whose effect increases with the magnitude, under timm's names. */
export const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  AutoContrast: { argument: none, apply: autoContrast },
  Equalize: { argument: none, apply: equalize },
  Invert: { argument: none, apply: invert },
  /** Degrees, counter-clockwise, -30..30. */
  Rotate: { argument: signed(30), apply: rotate },
  /** Bits to keep, 4..0. */
  Posterize: { argument: (magnitude) => 4 - Math.trunc((magnitude / 10) * 4), apply: posterize },
  /** Threshold, 256..0. */
  Solarize: { argument: (magnitude) => 256 - Math.trunc((magnitude / 10) * 256), apply: solarize },
  /** Levels to add, 0..110. */
  SolarizeAdd: { argument: (magnitude) => Math.trunc((magnitude / 10) * 110), apply: solarizeAdd },
  /** Factors, 0.1..1.9. */
  Color: { argument: enhancement, apply: color },
  Contrast: { argument: enhancement, apply: contrast },
  Brightness: { argument: enhancement, apply: brightness },
  Sharpness: { argument: enhancement, apply: sharpness },
  /** Pixels along one side per pixel of the other, -0.3..0.3. */
  ShearX: { argument: signed(0.3), apply: affine((factor) => [1, factor, 0, 0, 1, 0]) },
  ShearY: { argument: signed(0.3), apply: affine((factor) => [1, 0, 0, factor, 1, 0]) },
  /** Share of the side, -0.45..0.45. */
  TranslateXRel: { argument: signed(0.45), apply: affine((share, { width }) => [1, 0, share * width, 0, 1, 0]) },
  TranslateYRel: { argument: signed(0.45), apply: affine((share, { height }) => [1, 0, 0, 0, 1, share * height]) },
};

function rotate(image: RgbImage, degrees: number): RgbImage {
  const angle = ((degrees % 360) + 360) % 360;
  if (angle === 0) return image;
  const radians = -angle * (Math.PI / 180);
  // Pillow rounds so, and so do equal angles give equal pixels whatever the last bit of sine and cosine.
  const cosine = Number(Math.cos(radians).toFixed(15));
  const sine = Number(Math.sin(radians).toFixed(15));
  const x = image.width / 2;
  const y = image.height / 2;
  const matrix: AffineMatrix = [cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y];
  return transformAffine(image, matrix, FILL);
}
