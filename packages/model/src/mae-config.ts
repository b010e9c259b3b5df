import { z } from "zod";
import { MLP_RATIO, VIT_VARIANT_NAMES, VIT_VARIANTS, type VitVariant } from "./config.ts";

/** What fixes a masked autoencoder's shape. */
export const maeConfigSchema = z.object({
  kind: z.literal("mae"),
  variant: z.enum(VIT_VARIANT_NAMES),
  imageSize: z.int().positive(),
  patchSize: z.int().positive(),
  dim: z.int().positive(),
  depth: z.int().positive(),
  heads: z.int().positive(),
  decoderDim: z.int().positive(),
  decoderDepth: z.int().positive(),
  decoderHeads: z.int().positive(),
});
/** What fixes a masked autoencoder's shape. */
export type MaeConfig = Readonly<z.output<typeof maeConfigSchema>>;

/**
 * A variant with its decoder: 8 blocks of 16 heads and 512 dimensions for all published sizes; half of the encoder's
 * depth and its own width for micro, whose images are small.
 */
export function createMaeConfig(variant: VitVariant): MaeConfig {
  const decoder =
    variant === "micro"
      ? { decoderDim: 96, decoderDepth: 2, decoderHeads: 3 }
      : { decoderDim: 512, decoderDepth: 8, decoderHeads: 16 };
  return maeConfigSchema.parse({ kind: "mae", variant, ...VIT_VARIANTS[variant], ...decoder });
}

/** Every parameter with its shape, in the order of the reference's state dict; both position tables are fixed. */
export function maeParameterShapes(config: MaeConfig): ReadonlyMap<string, readonly number[]> {
  const { dim, depth, patchSize, imageSize, decoderDim, decoderDepth } = config;
  const tokens = (imageSize / patchSize) ** 2 + 1;
  const shapes = new Map<string, readonly number[]>();
  const add = (name: string, weight: readonly number[]) => {
    shapes.set(`${name}.weight`, weight);
    shapes.set(`${name}.bias`, weight.slice(0, 1));
  };
  const addBlocks = (prefix: string, count: number, width: number) => {
    for (let i = 0; i < count; i++) {
      add(`${prefix}.${i}.norm1`, [width]);
      add(`${prefix}.${i}.attn.qkv`, [3 * width, width]);
      add(`${prefix}.${i}.attn.proj`, [width, width]);
      add(`${prefix}.${i}.norm2`, [width]);
      add(`${prefix}.${i}.mlp.fc1`, [MLP_RATIO * width, width]);
      add(`${prefix}.${i}.mlp.fc2`, [width, MLP_RATIO * width]);
    }
  };
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
