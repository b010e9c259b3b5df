import { type LinearImage, sampleImage } from "./linear-image.ts";

/** The opening of an eye on a photograph, all in its pixels. */
export interface EyeOpening {
  /** The lids' edge: x, y in turn, all the way around. */
  readonly edge: readonly number[];
  readonly outerCorner: readonly [x: number, y: number];
  readonly innerCorner: readonly [x: number, y: number];
  readonly iris: readonly [x: number, y: number];
}

/** An eye without lids, on a window of the photograph. */
export interface EyeLayer extends LinearImage {
  readonly left: number;
  readonly top: number;
}

/**
 * The eye as it goes on behind its lids: what they cover is what lies mirrored on the other side of the eye's axis, since
 * irises are round, or else what is nearest to it.
 */
export function createEyeLayer(
  photograph: LinearImage,
  { edge, outerCorner, innerCorner, iris }: EyeOpening,
): EyeLayer {
  const corner = Math.hypot(outerCorner[0] - innerCorner[0], outerCorner[1] - innerCorner[1]);
  const margin = 0.45 * corner;
  const xs = edge.filter((_, i) => i % 2 === 0);
  const ys = edge.filter((_, i) => i % 2 === 1);
  const left = Math.floor(Math.min(...xs) - margin);
  const top = Math.floor(Math.min(...ys) - margin);
  const width = Math.ceil(Math.max(...xs) + margin) - left;
  const height = Math.ceil(Math.max(...ys) + margin) - top;
  const middle = [
    xs.reduce((sum, x) => sum + x, 0) / xs.length,
    ys.reduce((sum, y) => sum + y, 0) / ys.length,
  ] as const;
  // The axis through both corners, and what is across it.
  const along = [(outerCorner[0] - innerCorner[0]) / corner, (outerCorner[1] - innerCorner[1]) / corner] as const;
  const across = [-along[1], along[0]] as const;
  // Lids throw lashes and their edge's blur on the eye: what is to be repeated lies further in.
  const inner = edge.map((value, i) => {
    const from = i % 2 === 0 ? middle[0] : middle[1];
    return from + 0.8 * (value - from);
  });
  const data = new Float32Array(width * height * 3);
  const colour = new Float32Array(3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const px = left + x + 0.5;
      const py = top + y + 0.5;
      const [sx, sy] = isInside(edge, px, py) ? [px, py] : visiblePlace(px, py);
      sampleImage(photograph, sx, sy, colour);
      data.set(colour, 3 * (y * width + x));
    }
  }
  return { left, top, width, height, data };

  function visiblePlace(px: number, py: number): readonly [number, number] {
    const off = (px - iris[0]) * across[0] + (py - iris[1]) * across[1];
    const mirrored = [px - 2 * off * across[0], py - 2 * off * across[1]] as const;
    if (isInside(inner, mirrored[0], mirrored[1])) return mirrored;
    // Towards the axis, and then along it.
    for (let share = 0.1; share <= 1; share += 0.1) {
      const nearer = [px - share * off * across[0], py - share * off * across[1]] as const;
      if (isInside(inner, nearer[0], nearer[1])) return nearer;
    }
    const onAxis = [px - off * across[0], py - off * across[1]] as const;
    for (let share = 0.05; share < 1; share += 0.05) {
      const nearer = [
        onAxis[0] + share * (middle[0] - onAxis[0]),
        onAxis[1] + share * (middle[1] - onAxis[1]),
      ] as const;
      if (isInside(inner, nearer[0], nearer[1])) return nearer;
    }
    return middle;
  }
}

/** Whether a point lies in a polygon of x, y in turn (even-odd rule). */
export function isInside(polygon: readonly number[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [polygon[i]!, polygon[i + 1]!, polygon[j]!, polygon[j + 1]!];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  }
  return inside;
}
