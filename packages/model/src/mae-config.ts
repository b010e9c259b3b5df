import { z } from "zod";
import {
  createShapeList,
  type EncoderShape,
  encoderShape,
  type GridOverride,
  patchCount,
  shapeOf,
  type VitVariant,
  wholeParts,
} from "./config.ts";

/** What fixes a masked autoencoder's shape. */
export const maeConfigSchema = wholeParts(
  z.object({
    kind: z.literal("mae"),
    ...encoderShape,
    decoderDim: z.int().positive(),
    decoderDepth: z.int().positive(),
    decoderHeads: z.int().positive(),
  }),
);
/** What fixes a masked autoencoder's shape. */
export type MaeConfig = Readonly<z.output<typeof maeConfigSchema>>;

/**
 * A variant with its decoder: 8 blocks of 16 heads and 512 dimensions for all published sizes; half of the encoder's
 * depth and its own width for micro, whose images are small.
 */
export function createMaeConfig(encoder: VitVariant | EncoderShape, grid: GridOverride = {}): MaeConfig {
  const shape = shapeOf(encoder);
  const decoder =
    shape.variant === "micro"
      ? { decoderDim: 96, decoderDepth: 2, decoderHeads: 3 }
      : { decoderDim: 512, decoderDepth: 8, decoderHeads: 16 };
  return maeConfigSchema.parse({ ...shape, ...grid, ...decoder, kind: "mae" });
}

/** Every parameter with its shape, in the order of the reference's state dict; both position tables are fixed. */
export function maeParameterShapes(config: MaeConfig): ReadonlyMap<string, readonly number[]> {
  const { dim, depth, patchSize, decoderDim, decoderDepth } = config;
  const tokens = patchCount(config) + 1;
  const { shapes, add, addBlocks } = createShapeList();
  shapes.set("cls_token", [1, 1, dim]);
  shapes.set("pos_embed", [1, tokens, dim]);
  shapes.set("mask_token", [1, 1, decoderDim]);
  shapes.set("decoder_pos_embed", [1, tokens, decoderDim]);
  add("patch_embed.proj", [dim, 3, patchSize, patchSize]);
  addBlocks("blocks", depth, dim);
  add("norm", [dim]);
  add("decoder_embed", [decoderDim, dim]);
  addBlocks("decoder_blocks", decoderDepth, decoderDim);
  add("decoder_norm", [decoderDim]);
  add("decoder_pred", [3 * patchSize ** 2, decoderDim]);
  return shapes;
}

/** The parameters that are not trained. */
export const FIXED_MAE_PARAMETERS: ReadonlySet<string> = new Set(["pos_embed", "decoder_pos_embed"]);

/**
 * The fixed two-dimensional sine-cosine table (He et al. 2022): half of the channels encode the column, half the row; per
 * axis the frequencies 1 / 10000^(k / (D / 4)), first all sines, then all cosines. The class token's row is zero.
 *
 * @param grid patches a side
 * @param dim D, a multiple of 4
 * @returns [grid * grid + 1, D]
 */
export function sinCosPositions(grid: number, dim: number): Float32Array {
  const quarter = dim / 4;
  const table = new Float32Array((grid * grid + 1) * dim);
  for (let patch = 0; patch < grid * grid; patch++) {
    const coordinates = [patch % grid, Math.floor(patch / grid)];
    for (const [axis, coordinate] of coordinates.entries()) {
      for (let k = 0; k < quarter; k++) {
        const angle = coordinate / 10_000 ** (k / quarter);
        const at = (patch + 1) * dim + (axis * dim) / 2 + k;
        table[at] = Math.sin(angle);
        table[at + quarter] = Math.cos(angle);
      }
    }
  }
  return table;
}
