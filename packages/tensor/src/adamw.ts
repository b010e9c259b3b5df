import type { Tensor, Variable } from "@tensorflow/tfjs";
import { adamwUpdate } from "./fused/adamw-update.ts";
import type { TensorFlow } from "./tensorflow.ts";

/** Parameters that share a learning rate factor and a decay. */
export interface ParameterGroup {
  readonly names: readonly string[];
  /** Multiplies the learning rate (layer decay). */
  readonly learningRateScale: number;
  readonly weightDecay: number;
}

/** What an optimizer remembers. */
export interface AdamWState {
  /** Steps taken. */
  readonly step: number;
  /** First and second moments by parameter. */
  readonly firstMoments: ReadonlyMap<string, Float32Array>;
  readonly secondMoments: ReadonlyMap<string, Float32Array>;
}

/** Adam with decoupled weight decay. */
export interface AdamW {
  /** The moments, by names of their own: part of a compiled step's state, beside the parameters. */
  readonly variables: ReadonlyMap<string, Variable>;
  /**
   * Updates every parameter of every group.
   *
   * @param gradients by name
   * @param learningRate before the groups' factors
   */
  step(gradients: Readonly<Record<string, Tensor>>, learningRate: number): void;
  /**
   * Counts a step whose updates are computed elsewhere: in a compiled step.
   *
   * @returns [G, 3] for `updates`: what depends on learning rate and step, in double precision until here. The caller
   * disposes it
   */
  advance(learningRate: number): Tensor;
  /**
   * The new values of parameters and moments, by the names of the parameters and of `variables`; can be recorded. A compiled
   * step with the fused kernels overwrites the old ones: all of them must be among its state and its updates.
   *
   * @param gradients by name
   * @param factors of `advance`
   */
  updates(gradients: Readonly<Record<string, Tensor>>, factors: Tensor): Map<string, Tensor>;
  state(): AdamWState;
  /** @throws {RangeError} when moments are missing or of another size; all is as it was then */
  restore(state: AdamWState): void;
  dispose(): void;
}

/**
 * Makes an optimizer: Loshchilov and Hutter 2019, in PyTorch's form: the weight is first multiplied by
 * 1 - lr * decay, then moves by lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon).
 *
 * @throws {RangeError} for a name that is no parameter's, and for a parameter that is named twice
 */
export function createAdamW(
  tf: TensorFlow,
  parameterVariables: ReadonlyMap<string, Variable>,
  groups: readonly ParameterGroup[],
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = {},
): AdamW {
  const moment = (variable: Variable) => tf.tidy(() => tf.variable(tf.zerosLike(variable), false));
  // All are looked up before the first moment is made.
  const parameters = groupedVariables(parameterVariables, groups).map((each) => ({
    ...each,
    first: moment(each.variable),
    second: moment(each.variable),
  }));
  const variables = new Map(
    parameters.flatMap(({ name, first, second }) => [
      [firstMomentOf(name), first],
      [secondMomentOf(name), second],
    ]),
  );
  let step = 0;

  function advance(learningRate: number): Tensor {
    step++;
    const correction1 = 1 - beta1 ** step;
    const correction2 = Math.sqrt(1 - beta2 ** step);
    return tf.tensor2d(
      groups.map(({ learningRateScale, weightDecay }) => {
        const rate = learningRate * learningRateScale;
        return [rate / correction1, 1 - rate * weightDecay, correction2];
      }),
      [groups.length, 3],
    );
  }

  function updates(gradients: Readonly<Record<string, Tensor>>, factors: Tensor): Map<string, Tensor> {
    const { weights, firstMoments, secondMoments } = adamwUpdate(tf, {
      weights: parameters.map(({ variable }) => variable),
      firstMoments: parameters.map(({ first }) => first),
      secondMoments: parameters.map(({ second }) => second),
      gradients: parameters.map(({ name }) => {
        const gradient = gradients[name];
        if (gradient === undefined) throw new RangeError(`Expected a gradient of "${name}", found none`);
        return gradient;
      }),
      groups: parameters.map(({ group }) => group),
      factors,
      ...{ beta1, beta2, epsilon },
    });
    return new Map(
      parameters.flatMap(({ name }, i): [string, Tensor][] => [
        [name, weights[i]!],
        [firstMomentOf(name), firstMoments[i]!],
        [secondMomentOf(name), secondMoments[i]!],
      ]),
    );
  }

  return {
    variables,
    advance,
    updates,
    step(gradients, learningRate) {
      tf.tidy(() => {
        for (const [name, value] of updates(gradients, advance(learningRate))) {
          (parameterVariables.get(name) ?? variables.get(name))!.assign(value);
          value.dispose();
        }
      });
    },
    state: () => ({
      step,
      firstMoments: new Map(parameters.map(({ name, first }) => [name, Float32Array.from(first.dataSync())])),
      secondMoments: new Map(parameters.map(({ name, second }) => [name, Float32Array.from(second.dataSync())])),
    }),
    restore(state) {
      const moments = parameters.flatMap(({ name, first, second }) => [
        { name, variable: first, values: state.firstMoments.get(name) },
        { name, variable: second, values: state.secondMoments.get(name) },
      ]);
      const restored = moments.map(({ name, variable, values }) => {
        if (values?.length !== variable.size) throw new RangeError(`Expected the moments of "${name}"`);
        return { variable, values };
      });
      for (const { variable, values } of restored) tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
      step = state.step;
    },
    dispose() {
      for (const { first, second } of parameters) tf.dispose([first, second]);
    },
  };
}

interface GroupedVariable {
  readonly name: string;
  /** The number of its group. */
  readonly group: number;
  readonly variable: Variable;
}

function groupedVariables(
  variables: ReadonlyMap<string, Variable>,
  groups: readonly ParameterGroup[],
): readonly GroupedVariable[] {
  const named = new Map<Variable, string>();
  return groups.flatMap(({ names }, group) =>
    names.map((name) => {
      const variable = variables.get(name);
      if (variable === undefined) throw new RangeError(`Expected a parameter "${name}", found none`);
      const other = named.get(variable);
      if (other !== undefined) throw new RangeError(`Expected each parameter once, got "${other}" and "${name}"`);
      named.set(variable, name);
      return { name, group, variable };
    }),
  );
}

const firstMomentOf = (name: string) => `adamw.firstMoment.${name}`;
const secondMomentOf = (name: string) => `adamw.secondMoment.${name}`;
