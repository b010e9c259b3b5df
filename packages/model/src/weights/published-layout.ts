import { type EncoderShape, VIT_VARIANT_NAMES, VIT_VARIANTS } from "../config.ts";
import { createMaeConfig, type MaeConfig } from "../mae-config.ts";
import { ImportOptionsError, UnsupportedWeightsError } from "./import-error.ts";
import type { StoredTensor } from "./weight-file.ts";

/** Names and shapes of a state dict. */
type Tensors = ReadonlyMap<string, StoredTensor>;

/** What the names and shapes of a state dict say about the model that it is of. */
export interface PublishedLayout {
  /** With a head on pooled features, or a masked autoencoder (perhaps its encoder alone). */
  readonly kind: "labelled" | "mae";
  readonly encoder: EncoderShape;
  /** Names in the file by the parameters' names: those that differ. */
  readonly renamed: ReadonlyMap<string, string>;
  /** Names in the file that have a meaning and no use, with the reason. */
  readonly unused: ReadonlyMap<string, string>;
}

/** What shapes do not say. */
export interface LayoutOptions {
  readonly heads?: number | undefined;
  readonly decoderHeads?: number | undefined;
}

/**
 * Recognises a state dict: of an action unit fine-tune (head, perhaps ID_head, fc_norm), of an expression fine-tune
 * (AU_head beside an unused 1000-class head), of a masked autoencoder (decoder_*, mask_token, norm), or of its encoder
 * alone.
 *
 * @throws {UnsupportedWeightsError} @throws {ImportOptionsError}
 */
export function recogniseLayout(tensors: Tensors, options: LayoutOptions = {}): PublishedLayout {
  const encoder = encoderFrom(tensors, options.heads);
  const names = [...tensors.keys()];
  if (names.some((name) => name === "mask_token" || name.startsWith("decoder_"))) return plain("mae", encoder);
  if (tensors.has("AU_head.weight")) {
    const parts = ["weight", "bias"];
    return {
      kind: "labelled",
      encoder,
      renamed: new Map(parts.map((part) => [`head.${part}`, `AU_head.${part}`])),
      unused: new Map([
        ...parts.map((part): [string, string] => [
          `head.${part}`,
          "the classifier is AU_head; this one was never used",
        ]),
        ...finalNorm,
      ]),
    };
  }
  if (tensors.has("fc_norm.weight")) return { ...plain("labelled", encoder), unused: new Map(finalNorm) };
  if (tensors.has("head.weight")) {
    throw new UnsupportedWeightsError(
      'Expected a model that averages its patch tokens before "fc_norm"; the file has a head and no "fc_norm", so it ' +
        "reads the class token",
    );
  }
  return plain("mae", encoder);
}

/** Inference never reads the encoder's own norm when it averages patch tokens. */
const finalNorm: readonly [string, string][] = ["weight", "bias"].map((part) => [
  `norm.${part}`,
  "the final norm is not used where patch tokens are averaged; fc_norm is",
]);

function plain(kind: PublishedLayout["kind"], encoder: EncoderShape): PublishedLayout {
  return { kind, encoder, renamed: new Map(), unused: new Map() };
}

function encoderFrom(tensors: Tensors, heads: number | undefined): EncoderShape {
  const shapeOf = (name: string, axes: number): readonly number[] => {
    const shape = tensors.get(name)?.shape;
    if (shape?.length === axes) return shape;
    const told = shape === undefined ? "none" : `[${shape.join(", ")}]`;
    throw new UnsupportedWeightsError(`Expected a vision transformer with "${name}" of ${axes} axes, got ${told}`);
  };
  const [dim, , patchSize] = shapeOf("patch_embed.proj.weight", 4) as [number, number, number, number];
  const [, tokens] = shapeOf("pos_embed", 3) as [number, number, number];
  const grid = Math.sqrt(tokens - 1);
  if (!Number.isInteger(grid) || grid < 1) {
    throw new UnsupportedWeightsError(
      `Expected a class token and a square of patches in "pos_embed", got ${tokens} rows`,
    );
  }
  const depth = blockCount(tensors, "blocks");
  const known = VIT_VARIANT_NAMES.find((name) => VIT_VARIANTS[name].dim === dim && VIT_VARIANTS[name].depth === depth);
  const ofVariant = known === undefined ? undefined : VIT_VARIANTS[known].heads;
  const chosen = heads ?? ofVariant;
  if (chosen === undefined || !Number.isInteger(chosen) || chosen < 1 || dim % chosen !== 0) {
    const table = VIT_VARIANT_NAMES.map((name) => `${name} ${VIT_VARIANTS[name].dim}x${VIT_VARIANTS[name].depth}`);
    const expected = `Expected one of the known encoders (${table.join(", ")}) or its number of attention heads`;
    throw new ImportOptionsError([
      { field: "heads", description: `${expected}; the file has ${dim}x${depth}, got ${heads ?? "none"}` },
    ]);
  }
  const variant = known !== undefined && chosen === ofVariant ? known : "custom";
  return { variant, imageSize: grid * patchSize, patchSize, dim, depth, heads: chosen };
}

/**
 * The configuration of a masked autoencoder; the published decoder when the file holds the encoder alone.
 *
 * @throws {ImportOptionsError} when the decoder's attention heads are not known
 */
export function maeConfigFrom(tensors: Tensors, encoder: EncoderShape, { decoderHeads }: LayoutOptions): MaeConfig {
  const { variant } = encoder;
  const usual = createMaeConfig(variant === "custom" ? "base" : variant);
  const decoderDim = tensors.get("decoder_embed.weight")?.shape[0];
  if (decoderDim === undefined) return { ...usual, ...encoder };
  const chosen = decoderHeads ?? (decoderDim === usual.decoderDim ? usual.decoderHeads : undefined);
  if (chosen === undefined || !Number.isInteger(chosen) || chosen < 1 || decoderDim % chosen !== 0) {
    const expected = `Expected a decoder of ${usual.decoderDim} dimensions or its number of attention heads`;
    throw new ImportOptionsError([
      { field: "decoderHeads", description: `${expected}; the file has ${decoderDim}, got ${decoderHeads ?? "none"}` },
    ]);
  }
  const decoderDepth = blockCount(tensors, "decoder_blocks");
  return { kind: "mae", ...encoder, decoderDim, decoderDepth, decoderHeads: chosen };
}

/** Blocks that stand in a row from number 0. */
function blockCount(tensors: Tensors, prefix: string): number {
  let count = 0;
  while (tensors.has(`${prefix}.${count}.attn.qkv.weight`)) count++;
  if (count > 0) return count;
  throw new UnsupportedWeightsError(`Expected a vision transformer with "${prefix}.0.attn.qkv.weight", got none`);
}
