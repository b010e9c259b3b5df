import { parameterShapes, type VitConfig } from "./config.ts";
import { FIXED_MAE_PARAMETERS, type MaeConfig, maeParameterShapes } from "./mae-config.ts";

/** How the optimizer treats the layers. */
export interface GroupOptions {
  /** Learning rate factor from one layer to the one below it. */
  readonly layerDecay: number;
  readonly weightDecay: number;
}

/** Parameters that share a learning rate factor and a decay; what the optimizer of packages/tensor takes. */
interface ParameterGroup {
  readonly names: readonly string[];
  readonly learningRateScale: number;
  readonly weightDecay: number;
}

/** Names and shapes of parameters, in the order of a state dict. */
type Shapes = Iterable<readonly [name: string, shape: readonly number[]]>;

/** Parameters of one layer that decay, or that do not. */
interface LayerGroup {
  readonly names: string[];
  /** 0: the embeddings; i + 1: block i; with L blocks, L + 1: fc_norm and the heads. */
  readonly layer: number;
  readonly decays: boolean;
}

/**
 * Groups parameters as the reference does (1.11 of the behavioural specification): with L blocks, layer id i learns at
 * layerDecay^(L + 1 - i); the embeddings are layer 0, block i is layer i + 1, fc_norm and the heads are layer L + 1.
 * Vectors, the class token and the position embedding do not decay. Groups stand in the order of first appearance.
 */
export function parameterGroups(config: VitConfig, { layerDecay, weightDecay }: GroupOptions): ParameterGroup[] {
  return layerGroups(parameterShapes(config), config.depth).map(({ names, layer, decays }) => ({
    names,
    learningRateScale: layerDecay ** (config.depth + 1 - layer),
    weightDecay: decays ? weightDecay : 0,
  }));
}

/** The groups of a fine-tune's optimizer, in its order. @param depth L, the number of blocks */
export function layerGroups(shapes: Shapes, depth: number): LayerGroup[] {
  const groups = new Map<string, LayerGroup>();
  for (const [name, shape] of shapes) {
    const layer = layerOf(name, depth + 1);
    const decays = shape.length > 1 && name !== "cls_token" && name !== "pos_embed";
    const key = `${layer}:${decays}`;
    const group = groups.get(key) ?? { names: [], layer, decays };
    groups.set(key, group);
    group.names.push(name);
  }
  return [...groups.values()];
}

/**
 * Groups a masked autoencoder's parameters as timm's add_weight_decay does: vectors do not decay, all else does, the class
 * and mask token included; the group without decay stands first.
 */
export function maeParameterGroups(config: MaeConfig, weightDecay: number): ParameterGroup[] {
  const [still, decaying] = decayGroups(maeParameterShapes(config));
  return [
    { names: still, learningRateScale: 1, weightDecay: 0 },
    { names: decaying, learningRateScale: 1, weightDecay },
  ];
}

/** The groups of a pretraining's optimizer, in its order: without decay, with decay. */
export function decayGroups(shapes: Shapes): [string[], string[]] {
  const trained = [...shapes].filter(([name]) => !FIXED_MAE_PARAMETERS.has(name));
  const names = (decays: boolean) => trained.filter(([, shape]) => shape.length > 1 === decays).map(([name]) => name);
  return [names(false), names(true)];
}

function layerOf(name: string, last: number): number {
  const block = /^blocks\.(\d+)\./.exec(name);
  if (block !== null) return Number(block[1]) + 1;
  return /^(cls_token|pos_embed|patch_embed\.)/.test(name) ? 0 : last;
}
