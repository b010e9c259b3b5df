import { headMesh } from "./head-mesh.ts";

/** A part of the face that moves by `move` around some landmarks, and less with the distance from them. */
export interface Push {
  /** Landmarks on the subject's left, or on the midline. */
  readonly at: readonly number[];
  /** Standard deviation of the fall-off in x (and z) and in y, in centimetres. */
  readonly reach: readonly [x: number, y: number];
  /** In centimetres: outward (to the subject's left), up, to the viewer. */
  readonly move: readonly [outward: number, up: number, forward: number];
}

/** The part of the face that a field is limited to; lips part, so one must not drag the other. */
export type FieldRegion = "all" | "above-mouth" | "below-mouth";

/** Height of the line between the lips of the canonical face, in centimetres. */
export const LIP_LINE = -4.33;

/** 0..1 between two edges, smoothly. */
export function smoothstep(from: number, to: number, x: number): number {
  const t = Math.min(Math.max((x - from) / (to - from), 0), 1);
  return t * t * (3 - 2 * t);
}

/** Share of a place of the canonical face that belongs to the lower lip and what is below it. */
export function belowMouth(x: number, y: number): number {
  const far = smoothstep(1.95, 2.6, Math.abs(x));
  return (1 - far) * (y < LIP_LINE ? 1 : 0) + far * smoothstep(-3.4, -5.2, y);
}

/**
 * The displacement of each base vertex, [base vertices * 3] in centimetres: of the left half of the face, or of all of it.
 * Where reaches overlap, pushes are averaged, so more landmarks mean a better shape and not a longer way.
 */
export function displacementField(
  pushes: readonly Push[],
  { region = "all", side }: { readonly region?: FieldRegion; readonly side: "left" | "both" },
): Float32Array {
  const { positions, baseCount, mirror } = headMesh();
  const field = new Float32Array(baseCount * 3);
  for (let i = 0; i < baseCount; i++) {
    const x = positions[3 * i]!;
    const y = positions[3 * i + 1]!;
    const z = positions[3 * i + 2]!;
    let total = 0;
    const sum = [0, 0, 0];
    for (const { at, reach, move } of pushes) {
      for (const landmark of at) {
        const dx = (x - positions[3 * landmark]!) / reach[0];
        const dy = (y - positions[3 * landmark + 1]!) / reach[1];
        const dz = (z - positions[3 * landmark + 2]!) / (2 * reach[0]);
        const weight = Math.exp(-0.5 * (dx * dx + dy * dy + dz * dz));
        total += weight;
        for (let c = 0; c < 3; c++) sum[c]! += weight * move[c]!;
      }
    }
    const below = belowMouth(x, y);
    const share = region === "all" ? 1 : region === "above-mouth" ? 1 - below : below;
    // Both halves overlap at the midline and add up to one there.
    const factor = (share * smoothstep(-0.9, 0.9, x)) / Math.max(total, 1);
    for (let c = 0; c < 3; c++) field[3 * i + c] = factor * sum[c]!;
  }
  return side === "left" ? field : added(field, mirrored(field, mirror));
}

/** The same displacement on the other side of the face. */
export function mirrored(field: Float32Array, mirror: Uint16Array): Float32Array {
  const other = new Float32Array(field.length);
  for (let i = 0; i < mirror.length; i++) {
    const j = 3 * mirror[i]!;
    other[3 * i] = -field[j]!;
    other[3 * i + 1] = field[j + 1]!;
    other[3 * i + 2] = field[j + 2]!;
  }
  return other;
}

function added(p: Float32Array, q: Float32Array): Float32Array {
  return p.map((value, i) => value + q[i]!);
}
