import { z } from "zod";

/** The encoders: side of the input and of a patch in pixels, embedding dimension, blocks, attention heads. */
export const VIT_VARIANTS = {
  /** For drawn faces, demonstrations and tests. */
  micro: { imageSize: 96, patchSize: 8, dim: 96, depth: 4, heads: 3 },
  /** ViT-Ti/16 (Touvron et al. 2021, DeiT). */
  tiny: { imageSize: 224, patchSize: 16, dim: 192, depth: 12, heads: 3 },
  /** ViT-S/16. */
  small: { imageSize: 224, patchSize: 16, dim: 384, depth: 12, heads: 6 },
  /** ViT-B/16 (Dosovitskiy et al. 2021). */
  base: { imageSize: 224, patchSize: 16, dim: 768, depth: 12, heads: 12 },
  /** ViT-L/16, the paper's headline model. */
  large: { imageSize: 224, patchSize: 16, dim: 1024, depth: 24, heads: 16 },
  /** ViT-H/14. */
  huge: { imageSize: 224, patchSize: 14, dim: 1280, depth: 32, heads: 16 },
} as const;
/** The name of an encoder. */
export type VitVariant = keyof typeof VIT_VARIANTS;
/** The names of the encoders. */
export const VIT_VARIANT_NAMES = Object.keys(VIT_VARIANTS) as [VitVariant, ...VitVariant[]];

/** Hidden units of a block's MLP, in embedding dimensions. */
export const MLP_RATIO = 4;
/** LayerNorm's epsilon, everywhere in the model. */
export const LAYER_NORM_EPSILON = 1e-6;

/** What fixes an encoder's shape. */
export const encoderShape = {
  /** "custom": of a shape that is in no table, as imported weights can be. */
  variant: z.enum([...VIT_VARIANT_NAMES, "custom"]),
  imageSize: z.int().positive(),
  patchSize: z.int().positive(),
  dim: z.int().positive(),
  depth: z.int().positive(),
  heads: z.int().positive(),
};

/** Refuses an encoder whose image or width does not divide. */
export function wholeParts<S extends z.ZodType<Pick<z.output<z.ZodObject<typeof encoderShape>>, EncoderSide>>>(
  schema: S,
): S {
  return schema
    .refine(({ imageSize, patchSize }) => imageSize % patchSize === 0, "Expected whole patches")
    .refine(({ dim, heads }) => dim % heads === 0, "Expected whole attention heads");
}
type EncoderSide = "imageSize" | "patchSize" | "dim" | "heads";

/** Stochastic depth of the last block; it rises linearly from 0 at the first. */
const dropPath = z.number().min(0).lt(1);

/** What fixes an action unit detector's shape. */
export const modelConfigSchema = wholeParts(
  z.object({
    kind: z.literal("vit"),
    ...encoderShape,
    /** FACS numbers, in the order of the logits. */
    actionUnits: z.array(z.int()).min(1),
    /** Outputs of the identity head; 0: there is none. */
    numSubjects: z.int().min(0),
    /** Linear layers of the identity head (the paper's Table 7): dim, dim / 2 and dim / 4 wide, GELU between them. */
    identityLayers: z.union([z.literal(1), z.literal(2), z.literal(3)]).default(1),
    dropPath,
  }),
);
/** What fixes an action unit detector's shape. */
export type ModelConfig = Readonly<z.output<typeof modelConfigSchema>>;

/** What fixes an expression classifier's shape. */
export const expressionConfigSchema = wholeParts(
  z.object({
    kind: z.literal("vit-expression"),
    ...encoderShape,
    /** Names of the classes, in the order of the logits. */
    expressions: z.array(z.string().min(1)).min(2),
    dropPath,
  }),
);
/** What fixes an expression classifier's shape. */
export type ExpressionConfig = Readonly<z.output<typeof expressionConfigSchema>>;

/** A vision transformer with a linear head: what can be trained on labels, exported and served. */
export type VitConfig = ModelConfig | ExpressionConfig;

/** The shape of an encoder, whatever stands on it. */
export type EncoderShape = Pick<ModelConfig, keyof typeof encoderShape>;

/** Another grid than the variant's own. */
export type GridOverride = Partial<Pick<ModelConfig, "imageSize" | "patchSize">>;

/** A variant's encoder. */
export function encoderOf(variant: VitVariant): EncoderShape {
  return { variant, ...VIT_VARIANTS[variant] };
}

/** A variant, or another encoder, as an action unit detector. */
export function createModelConfig(
  encoder: VitVariant | EncoderShape,
  heads: Pick<ModelConfig, "actionUnits" | "numSubjects" | "dropPath"> &
    Partial<Pick<ModelConfig, "identityLayers">> &
    GridOverride,
): ModelConfig {
  return modelConfigSchema.parse({ ...shapeOf(encoder), ...heads, kind: "vit" });
}

/** A variant, or another encoder, as an expression classifier. */
export function createExpressionConfig(
  encoder: VitVariant | EncoderShape,
  heads: Pick<ExpressionConfig, "expressions" | "dropPath"> & GridOverride,
): ExpressionConfig {
  return expressionConfigSchema.parse({ ...shapeOf(encoder), ...heads, kind: "vit-expression" });
}

/** The encoder's part of what is given. */
export function shapeOf(encoder: VitVariant | EncoderShape): EncoderShape {
  if (typeof encoder === "string") return encoderOf(encoder);
  const { variant, imageSize, patchSize, dim, depth, heads } = encoder;
  return { variant, imageSize, patchSize, dim, depth, heads };
}

/** C: outputs of the head. */
export function outputCount(config: VitConfig): number {
  return config.kind === "vit" ? config.actionUnits.length : config.expressions.length;
}

/** N: patches of an image. */
export function patchCount({ imageSize, patchSize }: Pick<ModelConfig, "imageSize" | "patchSize">): number {
  return (imageSize / patchSize) ** 2;
}

/** Collects the shapes of parameters in the order of a state dict. */
export function createShapeList() {
  const shapes = new Map<string, readonly number[]>();
  /** A weight, and a bias as long as its first axis. */
  const add = (name: string, weight: readonly number[]): void => {
    shapes.set(`${name}.weight`, weight);
    shapes.set(`${name}.bias`, weight.slice(0, 1));
  };
  /** The blocks of a transformer of some width. */
  const addBlocks = (prefix: string, count: number, width: number): void => {
    for (let i = 0; i < count; i++) {
      add(`${prefix}.${i}.norm1`, [width]);
      add(`${prefix}.${i}.attn.qkv`, [3 * width, width]);
      add(`${prefix}.${i}.attn.proj`, [width, width]);
      add(`${prefix}.${i}.norm2`, [width]);
      add(`${prefix}.${i}.mlp.fc1`, [MLP_RATIO * width, width]);
      add(`${prefix}.${i}.mlp.fc2`, [width, MLP_RATIO * width]);
    }
  };
  return { shapes, add, addBlocks };
}

/**
 * Every parameter with its shape, in the order of the reference's state dict; the path in code is the key in the
 * checkpoint.
 */
export function parameterShapes(config: VitConfig): ReadonlyMap<string, readonly number[]> {
  const { dim, depth, patchSize } = config;
  const { shapes, add, addBlocks } = createShapeList();
  shapes.set("cls_token", [1, 1, dim]);
  shapes.set("pos_embed", [1, patchCount(config) + 1, dim]);
  add("patch_embed.proj", [dim, 3, patchSize, patchSize]);
  addBlocks("blocks", depth, dim);
  add("head", [outputCount(config), dim]);
  add("fc_norm", [dim]);
  if (config.kind === "vit") {
    for (const { name, inputs, outputs } of identityHeadLayers(config)) add(name, [outputs, inputs]);
  }
  return shapes;
}

/**
 * The linear layers of the identity head, empty without one. A single layer is named "ID_head"; several stand in a
 * sequence with activations between them, as in a checkpoint: "ID_head.0", "ID_head.2", "ID_head.4".
 */
export function identityHeadLayers({
  dim,
  numSubjects,
  identityLayers,
}: Pick<ModelConfig, "dim" | "numSubjects" | "identityLayers">): readonly {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
}[] {
  if (numSubjects === 0) return [];
  const widths = Array.from({ length: identityLayers }, (_, i) => Math.floor(dim / 2 ** i));
  return widths.map((inputs, i) => ({
    name: identityLayers === 1 ? "ID_head" : `ID_head.${2 * i}`,
    inputs,
    outputs: widths[i + 1] ?? numSubjects,
  }));
}
