import { type AuModel, type DetectedFace, decodeImage, type RawImage } from "@duchenne/vision";

type Box = DetectedFace["box"];

/** How far boxes are moved, in shares of their size, and scaled. */
const SHARE = 0.1;

/**
 * A box moved to each side and scaled down and up by a tenth, one at a time and all at once: the centres of the faces and
 * the corners of a cube around it.
 */
export function perturbedBoxes({ left, top, width, height }: Box): Box[] {
  const single = [1, -1].flatMap((sign) => [
    [sign, 0, 0],
    [0, sign, 0],
    [0, 0, sign],
  ]);
  const corners = [1, -1].flatMap((x) => [1, -1].flatMap((y) => [1, -1].map((scale) => [x, y, scale])));
  return [...single, ...corners].map(([x = 0, y = 0, scale = 0]) => {
    const factor = 1 + SHARE * scale;
    return {
      left: left + width * (SHARE * x + (1 - factor) / 2),
      top: top + height * (SHARE * y + (1 - factor) / 2),
      width: width * factor,
      height: height * factor,
    };
  });
}

/** How much a model's scores depend on where exactly the box is. */
export interface BoxSensitivity {
  readonly actionUnit: number;
  /** Of the scores' differences from those of the finder's box, without sign, over faces and perturbations. */
  readonly mean: number;
  readonly largest: number;
  /** Decisions that are others than with the finder's box. */
  readonly changedDecisions: number;
  readonly decisions: number;
}

/** Scores the largest face of every image with the box that the face finder gives, and with that box perturbed. */
export async function boxSensitivity(model: AuModel, images: readonly Uint8Array[]): Promise<BoxSensitivity[]> {
  const sums = new Map<number, { sum: number; largest: number; changed: number; count: number }>();
  for (const encoded of images) {
    // Decoded once, not with every box.
    const image: RawImage = { ...(await decodeImage(encoded)), format: "rgb", stride: 0, colors: "bt601-full" };
    const [face] = (await model.run({ image, maxFaces: 1 })).faces;
    if (face === undefined) continue;
    const scored = async (faceBox: Box) => {
      const { faces } = await model.run({ image, maxFaces: 1, faceBox });
      return faces[0]!.scores.filter(({ side }) => side === undefined);
    };
    const before = await scored(face.box);
    for (const box of perturbedBoxes(face.box)) {
      for (const [i, { actionUnit, score, threshold }] of (await scored(box)).entries()) {
        const entry = sums.get(actionUnit) ?? { sum: 0, largest: 0, changed: 0, count: 0 };
        const difference = Math.abs(score - before[i]!.score);
        entry.sum += difference;
        entry.largest = Math.max(entry.largest, difference);
        if (score >= threshold !== before[i]!.score >= threshold) entry.changed++;
        entry.count++;
        sums.set(actionUnit, entry);
      }
    }
  }
  return [...sums].map(([actionUnit, { sum, largest, changed, count }]) => ({
    actionUnit,
    mean: sum / count,
    largest,
    changedDecisions: changed,
    decisions: count,
  }));
}
