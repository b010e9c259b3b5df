import { createRandom, type Random } from "@duchenne/data";
import { type ModelConfig, parameterShapes } from "./config.ts";

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
export function checkParameters(config: ModelConfig, parameters: ParameterSet): void {
  const shapes = parameterShapes(config);
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
 */
export function initialiseParameters(config: ModelConfig, seed: number): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  const shapes = parameterShapes(config);
  for (const [name, shape] of shapes) {
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
