import { createRandom, type Random } from "@duchenne/data";
import { parameterShapes, type VitConfig } from "./config.ts";
import { FIXED_MAE_PARAMETERS, type MaeConfig, maeParameterShapes, sinCosPositions } from "./mae-config.ts";

/** One parameter. */
export interface Parameter {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A model's parameters by their names in a checkpoint. */
export type ParameterSet = ReadonlyMap<string, Parameter>;

/** Thrown when parameters are not those that a model needs; names the first that is missing, odd or of another shape. */
export class ParameterMismatchError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "PARAMETER_MISMATCH";

  constructor(message: string) {
    super(message);
    this.name = "ParameterMismatchError";
  }
}

/** Checks that a set has exactly the parameters of a model. @throws {ParameterMismatchError} */
export function checkParameters(config: VitConfig, parameters: ParameterSet): void {
  checkShapes(parameterShapes(config), parameters);
}

/** Checks that a set has exactly these parameters. @throws {ParameterMismatchError} */
export function checkShapes(shapes: ReadonlyMap<string, readonly number[]>, parameters: ParameterSet): void {
  for (const [name, shape] of shapes) {
    const parameter = parameters.get(name);
    if (parameter === undefined) throw new ParameterMismatchError(`Expected the parameter "${name}", found none`);
    if (parameter.shape.join() !== shape.join()) {
      throw new ParameterMismatchError(`Expected "${name}" [${shape.join(", ")}], got [${parameter.shape.join(", ")}]`);
    }
  }
  for (const name of parameters.keys()) {
    if (!shapes.has(name)) throw new ParameterMismatchError(`Expected no parameter "${name}"`);
  }
}

/**
 * Draws the parameters of a model that starts from nothing: Linear weights, class token and position embedding from a
 * normal of std 0.02, Linear biases 0, LayerNorm 1 and 0; the patch projection and the heads uniform within
 * 1/sqrt(fan in), PyTorch's default. Each parameter has a stream of its own, so that a model with an identity head
 * starts with the same backbone as one without.
 *
 * @param wanted only these are drawn, each as it would be among all; default: every one
 */
export function initialiseParameters(
  config: VitConfig,
  seed: number,
  wanted: (name: string) => boolean = () => true,
): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  const shapes = parameterShapes(config);
  for (const [name, shape] of shapes) {
    if (!wanted(name)) continue;
    const size = shape.reduce((product, length) => product * length, 1);
    const draw = drawFor(name, shapes, createRandom([seed, "initialise", name]));
    parameters.set(name, { shape, data: Float32Array.from({ length: size }, draw) });
  }
  return parameters;
}

function drawFor(name: string, shapes: ReadonlyMap<string, readonly number[]>, random: Random): () => number {
  if (/^(patch_embed|head|ID_head)\./.test(name)) {
    const [, ...inputs] = shapes.get(name.replace(/bias$/, "weight"))!;
    const fanIn = inputs.reduce((product, size) => product * size, 1);
    return () => (2 * random.uniform() - 1) / Math.sqrt(fanIn);
  }
  if (/norm\d?\.weight$/.test(name)) return () => 1;
  if (name.endsWith(".bias")) return () => 0;
  return () => 0.02 * random.normal();
}

/**
 * Draws the parameters of a masked autoencoder as He et al. 2022 do: the patch projection and every Linear from
 * Xavier's uniform (the projection as if it were a Linear), biases 0, LayerNorm 1 and 0, class and mask token from a
 * normal of std 0.02, both position tables fixed.
 *
 * @param wanted only these are drawn, each as it would be among all; default: every one
 */
export function initialiseMaeParameters(
  config: MaeConfig,
  seed: number,
  wanted: (name: string) => boolean = () => true,
): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  const grid = config.imageSize / config.patchSize;
  for (const [name, shape] of maeParameterShapes(config)) {
    if (!wanted(name)) continue;
    const size = shape.reduce((product, length) => product * length, 1);
    const random = createRandom([seed, "initialise-mae", name]);
    const fill = (draw: () => number) => Float32Array.from({ length: size }, draw);
    if (FIXED_MAE_PARAMETERS.has(name)) parameters.set(name, { shape, data: sinCosPositions(grid, shape[2]!) });
    else if (name.endsWith("_token")) parameters.set(name, { shape, data: fill(() => 0.02 * random.normal()) });
    else if (name.endsWith(".bias")) parameters.set(name, { shape, data: fill(() => 0) });
    else if (/norm\d?\.weight$/.test(name)) parameters.set(name, { shape, data: fill(() => 1) });
    else {
      const bound = Math.sqrt(6 / (shape[0]! + size / shape[0]!));
      parameters.set(name, { shape, data: fill(() => bound * (2 * random.uniform() - 1)) });
    }
  }
  return parameters;
}
