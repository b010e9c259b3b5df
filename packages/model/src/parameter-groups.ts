import type { ParameterGroup } from "@duchenne/tensor";
import { parameterShapes, type VitConfig } from "../config.ts";
import { FIXED_MAE_PARAMETERS, type MaeConfig, maeParameterShapes } from "../mae-config.ts";

/** How the optimizer treats the layers. */
export interface GroupOptions {
  /** Learning rate factor from one layer to the one below it. */
  readonly layerDecay: number;
  readonly weightDecay: number;
}

/**
 * Groups parameters as the reference does (1.11 of the behavioural specification): with L blocks, layer id i learns at
 * layerDecay^(L + 1 - i); the embeddings are layer 0, block i is layer i + 1, fc_norm and the heads are layer L + 1.
 * Vectors, the class token and the position embedding do not decay. Groups stand in the order of first appearance.
 */
export function parameterGroups(config: VitConfig, { layerDecay, weightDecay }: GroupOptions): ParameterGroup[] {
  const layers = config.depth + 1;
  const groups = new Map<string, { names: string[]; learningRateScale: number; weightDecay: number }>();
  for (const [name, shape] of parameterShapes(config)) {
    const layer = layerOf(name, layers);
    const decays = shape.length > 1 && name !== "cls_token" && name !== "pos_embed";
    const key = `${layer}:${decays}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { names: [], learningRateScale: layerDecay ** (layers - layer), weightDecay: decays ? weightDecay : 0 };
      groups.set(key, group);
    }
    group.names.push(name);
  }
  return [...groups.values()];
}

/**
 * Groups a masked autoencoder's parameters as timm's add_weight_decay does: vectors do not decay, all else does, the class
 * and mask token included; the group without decay stands first.
 */
export function maeParameterGroups(config: MaeConfig, weightDecay: number): ParameterGroup[] {
  const trained = [...maeParameterShapes(config)].filter(([name]) => !FIXED_MAE_PARAMETERS.has(name));
  const group = (decays: boolean): ParameterGroup => ({
    names: trained.filter(([, shape]) => shape.length > 1 === decays).map(([name]) => name),
    learningRateScale: 1,
    weightDecay: decays ? weightDecay : 0,
  });
  return [group(false), group(true)];
}

function layerOf(name: string, last: number): number {
  const block = /^blocks\.(\d+)\./.exec(name);
  if (block !== null) return Number(block[1]) + 1;
  return /^(cls_token|pos_embed|patch_embed\.)/.test(name) ? 0 : last;
}
