import { MLP_RATIO, type VitConfig } from "../config.ts";

/** A linear layer of a transformer's blocks. */
export interface LinearLayer {
  /** Its name in a checkpoint, such as "blocks.0.attn.qkv". */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * The linear layers of the blocks, in the order of the graph. They hold over nine tenths of a model's products, and are
 * what int8 computes; the patch projection, the head, LayerNorm, softmax, GELU and the products within attention stay in
 * float, where they cost little and are sensitive.
 */
export function linearLayers({ dim, depth }: Pick<VitConfig, "dim" | "depth">): readonly LinearLayer[] {
  return Array.from({ length: depth }, (_, block): LinearLayer[] => [
    { name: `blocks.${block}.attn.qkv`, inputs: dim, outputs: 3 * dim },
    { name: `blocks.${block}.attn.proj`, inputs: dim, outputs: dim },
    { name: `blocks.${block}.mlp.fc1`, inputs: dim, outputs: MLP_RATIO * dim },
    { name: `blocks.${block}.mlp.fc2`, inputs: MLP_RATIO * dim, outputs: dim },
  ]).flat();
}
