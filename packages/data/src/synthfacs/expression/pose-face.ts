import { belowMouth, displacementField, mirrored, smoothstep } from "../mesh/displacement-field.ts";
import { fineMesh, type Levels } from "../mesh/fine-mesh.ts";
import { headMesh } from "../mesh/head-mesh.ts";
import { LEFT_EYE, RIGHT_EYE } from "../mesh/landmark-loops.ts";
import { sealLips } from "../mesh/seal-lips.ts";
import { interpolate } from "../mesh/subdivide.ts";
import { MOVES, type MoveName } from "./action-unit-moves.ts";
import type { HalfExpression } from "./combine-action-units.ts";
import { type Eyeball, poseLids } from "./lid-pose.ts";

/** The axis that the jaw turns about, and how far it does at most. */
const JAW = { y: 0.9, z: -2.2, maxAngle: (13 * Math.PI) / 180 } as const;

/** A head with an expression. */
export interface PosedFace {
  /** [base vertices * 3]; the first 468 are the landmarks. */
  readonly base: Float32Array;
  /** [fine vertices * 3] */
  readonly fine: Float32Array;
}

interface Fields {
  readonly left: ReadonlyMap<MoveName, Float32Array>;
  readonly right: ReadonlyMap<MoveName, Float32Array>;
  /** Share of the jaw's rotation that each base vertex takes part in. */
  readonly jaw: Float32Array;
}

let fields: Fields | undefined;

/**
 * Moves a resting head by the expressions of its halves.
 *
 * @param resting [base vertices * 3]
 */
export function poseFace(
  resting: Float32Array,
  eyeballs: readonly [Eyeball, Eyeball],
  { left, right }: { readonly left: HalfExpression; readonly right: HalfExpression },
  levels: Levels,
): PosedFace {
  fields ??= createFields();
  const base = resting.slice();
  for (const [side, half] of [
    ["left", left],
    ["right", right],
  ] as const) {
    // biome-ignore format: pairs
    for (const [name, field] of fields[side]) {
      const weight = half.moves[name];
      if (weight === 0) continue;
      for (let i = 0; i < field.length; i++) base[i] = base[i]! + weight * field[i]!;
    }
  }
  turnJaw(base, fields.jaw, 0.5 * (left.jaw + right.jaw));
  sealLips(base, 1 - 0.5 * (left.lipsApart + right.lipsApart));
  poseLids(base, LEFT_EYE, eyeballs[0], { upper: left.upperLid, lower: left.lowerLid });
  poseLids(base, RIGHT_EYE, eyeballs[1], { upper: right.upperLid, lower: right.lowerLid });
  const { subdivision, aroundEyes } = fineMesh(levels);
  const fine = interpolate(subdivision, base, 3);
  for (const [k, eyeball] of eyeballs.entries()) keepOutside(fine, aroundEyes[k]!, eyeball);
  return { base, fine };
}

/** Moves a point of the lower jaw, such as a tooth, with the jaw. */
export function jawPoint([x, y, z]: readonly [number, number, number], jaw: number): readonly [number, number, number] {
  const angle = jaw * JAW.maxAngle;
  const sin = Math.sin(angle);
  const cos = Math.cos(angle);
  return [x, JAW.y + (y - JAW.y) * cos - (z - JAW.z) * sin, JAW.z + (y - JAW.y) * sin + (z - JAW.z) * cos];
}

function turnJaw(base: Float32Array, shares: Float32Array, jaw: number): void {
  if (jaw === 0) return;
  for (const [i, share] of shares.entries()) {
    if (share === 0) continue;
    base.set(jawPoint([base[3 * i]!, base[3 * i + 1]!, base[3 * i + 2]!], jaw * share), 3 * i);
  }
}

/** Keeps a lid's surface in front of the eyeball. */
function keepOutside(fine: Float32Array, vertices: readonly number[], { centre, radius }: Eyeball): void {
  const least = radius + 0.03;
  for (const i of vertices) {
    const x = fine[3 * i]! - centre[0];
    const y = fine[3 * i + 1]! - centre[1];
    const z = fine[3 * i + 2]! - centre[2];
    const length = Math.hypot(x, y, z);
    if (length >= least) continue;
    const scale = least / length;
    fine[3 * i] = centre[0] + x * scale;
    fine[3 * i + 1] = centre[1] + y * scale;
    fine[3 * i + 2] = centre[2] + z * scale;
  }
}

function createFields(): Fields {
  const { positions, baseCount, mirror } = headMesh();
  const left = new Map<MoveName, Float32Array>();
  const right = new Map<MoveName, Float32Array>();
  for (const name of Object.keys(MOVES) as MoveName[]) {
    const { pushes, region = "all" } = MOVES[name];
    const field = displacementField(pushes, { region, side: "left" });
    left.set(name, field);
    right.set(name, mirrored(field, mirror));
  }
  const jaw = new Float32Array(baseCount);
  for (let i = 0; i < baseCount; i++) {
    const x = positions[3 * i]!;
    const y = positions[3 * i + 1]!;
    const z = positions[3 * i + 2]!;
    const lip = belowMouth(x, y);
    const cheek = smoothstep(-1.2, -7.6, y);
    const nearMouth = 1 - smoothstep(1.9, 3, Math.abs(x));
    jaw[i] = (nearMouth * lip + (1 - nearMouth) * cheek) * smoothstep(-7, -2, z);
  }
  return { left, right, jaw };
}
