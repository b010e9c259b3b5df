import { createRandom } from "@duchenne/data";
import { type EncoderShape, type ModelConfig, outputCount, parameterShapes, type VitConfig } from "../config.ts";
import { type MaeConfig, maeParameterShapes } from "../mae-config.ts";
import { initialiseMaeParameters, initialiseParameters, type Parameter, type ParameterSet } from "../parameters.ts";
import { fitPositions } from "./fit-positions.ts";
import { createLoadReport, type LoadReport } from "./load-report.ts";

/** Weights with what they are of. */
export interface SourceWeights {
  readonly config: VitConfig | MaeConfig;
  readonly parameters: ParameterSet;
}

/** Thrown when a training is to start from an encoder of another shape. */
export class EncoderMismatchError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "ENCODER_MISMATCH";

  constructor(expected: EncoderShape, actual: EncoderShape) {
    const told = ({ dim, depth, heads, patchSize }: EncoderShape) =>
      `${depth} blocks of ${dim} dimensions and ${heads} heads on patches of ${patchSize} pixels`;
    super(`Expected weights of an encoder with ${told(expected)}, got one with ${told(actual)}`);
    this.name = "EncoderMismatchError";
  }
}

/** Standard deviation of a fine-tune's first head; the published cut at ±2 lies 100,000 of them out. */
const HEAD_STD = 2e-5;

/**
 * What a training starts from, given earlier weights of any kind: a detector, an expression classifier or a masked
 * autoencoder. The encoder is taken over, its position embeddings interpolated when the grid is another. Then as the
 * reference fine-tunes (1.2, 1.17 and 1.19 of the behavioural specification):
 *
 * - `head.weight` is always drawn anew from a normal of std 2e-5; `head.bias` is kept when it is of the same kind of model
 *   and number of outputs;
 * - the identity head is kept when its shapes are the same;
 * - `fc_norm` is kept, or starts at 1 and 0 where the weights are of a masked autoencoder, whose `norm` is dropped;
 * - a masked autoencoder keeps its decoder only from a masked autoencoder with one of the same shape.
 *
 * Everything else starts as in a new model of this seed.
 *
 * @throws {EncoderMismatchError} when width, depth, heads or patches differ
 */
export function initialiseFrom(
  config: VitConfig | MaeConfig,
  seed: number,
  source: SourceWeights,
): { readonly parameters: Map<string, Parameter>; readonly report: LoadReport } {
  const { config: from, parameters: weights } = source;
  if (
    config.dim !== from.dim ||
    config.depth !== from.depth ||
    config.heads !== from.heads ||
    config.patchSize !== from.patchSize
  ) {
    throw new EncoderMismatchError(config, from);
  }
  const shapes = config.kind === "mae" ? maeParameterShapes(config) : parameterShapes(config);
  const report = createLoadReport();
  const taken = new Map<string, Parameter>();
  for (const [name, parameter] of weights) {
    const reason = reasonToDrop(name, config, from);
    if (!shapes.has(name)) report.unexpected.push(name);
    else if (reason !== undefined) report.ignored.push({ name, reason });
    else taken.set(name, parameter);
  }
  fitPositions(taken, shapes, report);

  const isNew = (name: string) => !taken.has(name);
  const drawn =
    config.kind === "mae" ? initialiseMaeParameters(config, seed, isNew) : initialiseParameters(config, seed, isNew);
  if (config.kind !== "mae") {
    const { shape, data } = drawn.get("head.weight")!;
    const random = createRandom([seed, "initialise-from", "head.weight"]);
    drawn.set("head.weight", { shape, data: data.map(() => HEAD_STD * random.normal()) });
  }
  report.missing.push(...[...drawn.keys()].filter((name) => !weights.has(name)));
  return { parameters: new Map([...shapes.keys()].map((name) => [name, taken.get(name) ?? drawn.get(name)!])), report };
}

/** Why a parameter that both models have is not taken over. */
function reasonToDrop(name: string, to: VitConfig | MaeConfig, from: VitConfig | MaeConfig): string | undefined {
  if (name === "head.weight") return "drawn anew, as the reference does";
  if (name === "head.bias" && to.kind !== "mae" && from.kind !== "mae") {
    if (to.kind !== from.kind) return "of another kind of head";
    if (outputCount(to) !== outputCount(from)) return `of ${outputCount(from)} outputs, not ${outputCount(to)}`;
  }
  if (name.startsWith("ID_head.") && to.kind === "vit" && from.kind === "vit") {
    const told = ({ numSubjects, identityLayers }: ModelConfig) =>
      `${numSubjects} subjects and ${identityLayers} layers`;
    if (told(to) !== told(from)) return `of ${told(from)}, not ${told(to)}`;
  }
  if (/^(decoder_|mask_token$)/.test(name) && to.kind === "mae" && from.kind === "mae") {
    const told = (mae: MaeConfig) =>
      `${mae.decoderDim} dimensions, ${mae.decoderDepth} blocks and ${mae.decoderHeads} heads`;
    if (told(to) !== told(from)) return `of a decoder with ${told(from)}, not ${told(to)}`;
  }
  return undefined;
}
