import type { ParameterSet } from "@duchenne/model";
import type { ParameterGroup, Seed } from "@duchenne/tensor";
import type { Tensor, Variable } from "@tensorflow/tfjs";

/** The tensors of a micro-batch, by name. */
export type Inputs = Readonly<Record<string, Tensor>>;

/** What a pass over a micro-batch gives; scalars that add up to those of the whole step. */
export interface Losses {
  /** What is minimised. */
  readonly loss: Tensor;
  /** What is told of, by name. */
  readonly measured: Readonly<Record<string, Tensor>>;
}

/** What a training minimises, and over which parameters. */
export interface Objective<B> {
  /** The trained parameters by name. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** How the optimizer treats them. */
  readonly groups: readonly ParameterGroup[];
  /** The micro-batches of a step as tensors; shares of the whole step are among them, so that sums are means over it. */
  inputs(batches: readonly B[]): Inputs[];
  /** @param seed fixes what stochastic depth drops */
  losses(inputs: Inputs, seed: Seed): Losses;
  /** Two losses that pull at the same backbone, told apart by measuring one of them alone. */
  readonly adversary?: {
    /** The names of the backbone's parameters. */
    readonly backbone: readonly string[];
    /** The loss without the reversed one. */
    loss(inputs: Inputs, seed: Seed): Tensor;
  };
  /** Everything that a training continues from, beside the optimizer. */
  parameters(): ParameterSet;
  load(parameters: ParameterSet): void;
}

/** Each micro-batch's share of a whole. @param sizes what is counted in each */
export function sharesOf(sizes: readonly number[]): number[] {
  const total = Math.max(
    sizes.reduce((sum, size) => sum + size, 0),
    1,
  );
  return sizes.map((size) => size / total);
}
