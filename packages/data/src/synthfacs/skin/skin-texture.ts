import { alongScale, type Colour, colourFromHex, mix } from "../colour.ts";
import { smoothstep } from "../mesh/displacement-field.ts";
import type { SyntheticSubject } from "../subject.ts";
import { beardCover, browCover, freckleCover, lidShadow, lipCover, nostrilCover } from "./face-marks.ts";
import { noise } from "./noise.ts";
import { texelPlaces } from "./texel-places.ts";

/** Side of skin textures, in texels. */
export const SKIN_TEXTURE_SIZE = 320;

/** The skin of one person. */
export interface SkinTexture {
  /** [size * size * 3], linear. */
  readonly colours: Float32Array;
  /** [size * size]: strength of the highlight. */
  readonly gloss: Float32Array;
  /** The colour without marks, for neck and ears. */
  readonly tone: Colour;
}

/** Skin from the lightest to the darkest. */
const SKIN_SCALE = ["#ecc7b2", "#e3b699", "#d6a27d", "#c58f6a", "#a3714e", "#81543a", "#5f3d2c", "#432a20"].map(colourFromHex); // biome-ignore format: a list

/** The colour of a person's skin without marks. */
export function skinTone({ skinDepth, skinRedness }: SyntheticSubject): Colour {
  const [red, green, blue] = alongScale(SKIN_SCALE, skinDepth);
  const warm = skinRedness - 0.5;
  return [red * (1 + 0.06 * warm), green * (1 - 0.08 * warm), blue * (1 - 0.12 * warm)];
}

/** Paints a person's skin: tone, blood, pores, freckles, lips, brows, beard, make-up, and the shade of hollows. */
export function createSkinTexture(subject: SyntheticSubject): SkinTexture {
  const size = SKIN_TEXTURE_SIZE;
  const { positions } = texelPlaces(size);
  const tone = skinTone(subject);
  const { textureSeed: seed, lips, makeUp, hair, beard, skinDepth } = subject;
  const lipColour = makeUp === undefined ? lips : mix(lips, makeUp.lips, 0.8 * makeUp.strength);
  // Brows stay darker than hair, most of all when that is grey.
  const pale = Math.max(...hair.colour);
  const browColour = mix(mix(hair.colour, colourFromHex("#120c09"), 0.45 + 0.4 * pale), tone, 0.08);
  const beardColour = mix(hair.colour, colourFromHex("#120c09"), 0.25);
  const colours = new Float32Array(size * size * 3);
  const gloss = new Float32Array(size * size);
  for (let at = 0; at < size * size; at++) {
    const x = positions[3 * at]!;
    const y = positions[3 * at + 1]!;
    const z = positions[3 * at + 2]!;
    const side = Math.abs(x);
    const blotch = noise(x * 0.7 + 9, y * 0.7, seed) + 0.5 * noise(x * 1.9, y * 1.9, seed + 1);
    const pore = noise(x * 9, y * 9 + z * 5, seed + 2);
    const light = 1 + 0.07 * (blotch - 0.75) + 0.07 * (pore - 0.5);
    // Blood shows in cheeks, nose and chin.
    const flush =
      (0.05 + 0.07 * subject.skinRedness) *
      (Math.exp(-((side - 4.2) ** 2 + (y + 0.6) ** 2) / 4) +
        0.9 * Math.exp(-(x ** 2 + (y + 0.8) ** 2) / 1.4) +
        0.5 * Math.exp(-(x ** 2 + (y + 7.4) ** 2) / 2)) *
      (1 - 0.6 * skinDepth);
    let colour: Colour = [tone[0] * light, tone[1] * light * (1 - flush * 1.6), tone[2] * light * (1 - flush * 1.4)];
    const freckle = subject.freckles * freckleCover(x, y, seed);
    if (freckle > 0) colour = mix(colour, [colour[0] * 0.62, colour[1] * 0.48, colour[2] * 0.4], freckle);
    if (makeUp !== undefined) {
      const lid = 0.75 * makeUp.strength * Math.exp(-(((side - 3.2) / 1.3) ** 2) - ((y - 3.1) / 0.3) ** 2);
      colour = mix(colour, makeUp.lids, lid);
    }
    const lip = lipCover(x, y);
    if (lip > 0) {
      const streak = 0.9 + 0.2 * noise(x * 8, y * 1.2, seed + 3);
      colour = mix(colour, [lipColour[0] * streak, lipColour[1] * streak, lipColour[2] * streak], 0.85 * lip);
    }
    const whisker = (1 - lip) * beardCover(beard, x, y, z, seed);
    if (whisker > 0) colour = mix(colour, beardColour, whisker);
    const brow = subject.browDensity * browCover(subject.browThickness, side, y, seed);
    if (brow > 0) colour = mix(colour, browColour, brow);
    const hollow = lidShadow(side, y) * nostrilCover(side, y, z) * mouthCorner(side, y);
    for (let c = 0; c < 3; c++) {
      // Shade in skin is warm: red light gets farther.
      colours[3 * at + c] = colour[c]! * hollow ** (c === 0 ? 0.8 : 1.1);
    }
    const oily = Math.exp(-(x ** 2) / 5) * (smoothstep(4.5, 6, y) + Math.exp(-((y + 0.3) ** 2) / 2));
    gloss[at] =
      (0.1 + 0.14 * oily + 0.08 * lip + (makeUp === undefined ? 0 : 0.14 * lip)) * (1 - 0.9 * Math.max(brow, whisker));
  }
  return { colours, gloss, tone };
}

/** The small shade where the lips end. */
function mouthCorner(side: number, y: number): number {
  return 1 - 0.3 * Math.exp(-(((side - 2.5) / 0.22) ** 2) - ((y + 4.33) / 0.2) ** 2);
}
