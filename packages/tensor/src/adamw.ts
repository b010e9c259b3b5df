import type { Tensor, Variable } from "@tensorflow/tfjs";
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
  /**
   * Updates every parameter of every group.
   *
   * @param gradients by name
   * @param learningRate before the groups' factors
   */
  step(gradients: Readonly<Record<string, Tensor>>, learningRate: number): void;
  state(): AdamWState;
  restore(state: AdamWState): void;
  dispose(): void;
}

/**
 * Makes an optimizer: Loshchilov and Hutter 2019, in PyTorch's form: the weight is first multiplied by
 * 1 - lr * decay, then moves by lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon).
 */
export function createAdamW(
  tf: TensorFlow,
  variables: ReadonlyMap<string, Variable>,
  groups: readonly ParameterGroup[],
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = {},
): AdamW {
  const parameters = groups.flatMap(({ names, ...group }) =>
    names.map((name) => {
      const variable = variables.get(name);
      if (variable === undefined) throw new RangeError(`Expected a parameter "${name}", found none`);
      const moment = () => tf.tidy(() => tf.variable(tf.zerosLike(variable), false));
      return { name, variable, first: moment(), second: moment(), ...group };
    }),
  );
  let step = 0;
  return {
    step(gradients, learningRate) {
      step++;
      const correction1 = 1 - beta1 ** step;
      const correction2 = Math.sqrt(1 - beta2 ** step);
      for (const { name, variable, first, second, learningRateScale, weightDecay } of parameters) {
        const gradient = gradients[name];
        if (gradient === undefined) throw new RangeError(`Expected a gradient of "${name}", found none`);
        const rate = learningRate * learningRateScale;
        tf.tidy(() => {
          const m = first.mul(beta1).add(gradient.mul(1 - beta1));
          const v = second.mul(beta2).add(gradient.square().mul(1 - beta2));
          const change = m.div(v.sqrt().div(correction2).add(epsilon)).mul(rate / correction1);
          first.assign(m);
          second.assign(v);
          variable.assign(variable.mul(1 - rate * weightDecay).sub(change));
        });
      }
    },
    state: () => ({
      step,
      firstMoments: new Map(parameters.map(({ name, first }) => [name, Float32Array.from(first.dataSync())])),
      secondMoments: new Map(parameters.map(({ name, second }) => [name, Float32Array.from(second.dataSync())])),
    }),
    restore(state) {
      step = state.step;
      for (const { name, first, second, variable } of parameters) {
        for (const [moment, values] of [
          [first, state.firstMoments.get(name)],
          [second, state.secondMoments.get(name)],
        ] as const) {
          if (values?.length !== variable.size) throw new RangeError(`Expected the moments of "${name}"`);
          tf.tidy(() => moment.assign(tf.tensor(values, variable.shape)));
        }
      }
    },
    dispose() {
      for (const { first, second } of parameters) tf.dispose([first, second]);
    },
  };
}
