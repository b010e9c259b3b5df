import { z } from "zod";

/** The encoders: side of the input and of a patch in pixels, embedding dimension, blocks, attention heads. */
export const VIT_VARIANTS = {
  /** For drawn faces, demonstrations and tests. */
  micro: { imageSize: 96, patchSize: 8, dim: 96, depth: 4, heads: 3 },
  /** ViT-Ti/16 (Touvron et al. 2021, DeiT). */
  tiny: { imageSize: 224, patchSize: 16, dim: 192, depth: 12, heads: 3 },
} as const;
/** The name of an encoder. */
export type VitVariant = keyof typeof VIT_VARIANTS;
/** The names of the encoders. */
export const VIT_VARIANT_NAMES = Object.keys(VIT_VARIANTS) as [VitVariant, ...VitVariant[]];

/** Hidden units of a block's MLP, in embedding dimensions. */
export const MLP_RATIO = 4;
/** LayerNorm's epsilon, everywhere in the model. */
export const LAYER_NORM_EPSILON = 1e-6;

/** What fixes a model's shape. */
export const modelConfigSchema = z
  .object({
    kind: z.literal("vit"),
    variant: z.enum(VIT_VARIANT_NAMES),
    imageSize: z.int().positive(),
    patchSize: z.int().positive(),
    dim: z.int().positive(),
    depth: z.int().positive(),
    heads: z.int().positive(),
    /** FACS numbers, in the order of the logits. */
    actionUnits: z.array(z.int()).min(1),
    /** Outputs of the identity head; 0: there is none. */
    numSubjects: z.int().min(0),
    /** Stochastic depth of the last block; it rises linearly from 0 at the first. */
    dropPath: z.number().min(0).lt(1),
  })
  .refine(({ imageSize, patchSize }) => imageSize % patchSize === 0, "Expected whole patches")
  .refine(({ dim, heads }) => dim % heads === 0, "Expected whole attention heads");
/** What fixes a model's shape. */
export type ModelConfig = Readonly<z.output<typeof modelConfigSchema>>;

/** A variant with its heads. */
export function createModelConfig(
  variant: VitVariant,
  heads: Pick<ModelConfig, "actionUnits" | "numSubjects" | "dropPath">,
): ModelConfig {
  return modelConfigSchema.parse({ kind: "vit", variant, ...VIT_VARIANTS[variant], ...heads });
}

/** N: patches of an image. */
export function patchCount({ imageSize, patchSize }: ModelConfig): number {
  return (imageSize / patchSize) ** 2;
}

/**
 * Every parameter with its shape, in the order of the reference's state dict; the path in code is the key in the
 * checkpoint.
 */
export function parameterShapes(config: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const { dim, depth, patchSize, actionUnits, numSubjects } = config;
  const hidden = MLP_RATIO * dim;
  const shapes = new Map<string, readonly number[]>();
  const add = (name: string, weight: readonly number[]) => {
    shapes.set(`${name}.weight`, weight);
    shapes.set(`${name}.bias`, weight.slice(0, 1));
  };
  shapes.set("cls_token", [1, 1, dim]);
  shapes.set("pos_embed", [1, patchCount(config) + 1, dim]);
  add("patch_embed.proj", [dim, 3, patchSize, patchSize]);
  for (let i = 0; i < depth; i++) {
    add(`blocks.${i}.norm1`, [dim]);
    add(`blocks.${i}.attn.qkv`, [3 * dim, dim]);
    add(`blocks.${i}.attn.proj`, [dim, dim]);
    add(`blocks.${i}.norm2`, [dim]);
    add(`blocks.${i}.mlp.fc1`, [hidden, dim]);
    add(`blocks.${i}.mlp.fc2`, [dim, hidden]);
  }
  add("head", [actionUnits.length, dim]);
  add("fc_norm", [dim]);
  if (numSubjects > 0) add("ID_head", [numSubjects, dim]);
  return shapes;
}
