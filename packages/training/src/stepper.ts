import type { ParameterSet } from "@duchenne/model";
import { assignParameters, parametersFromVariables } from "@duchenne/model/training";
import { type AdamWState, createAdamW, type TensorFlow } from "@duchenne/tensor";
import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs";
import type { Inputs, Objective } from "./objectives/objective.ts";
import type { Optimization } from "./recipes/optimization.ts";

/** What a step is taken with. */
export interface StepOptions {
  readonly learningRate: number;
  /** Fixes what stochastic depth drops. */
  readonly seed: number;
  /** Also measures the gradients of both losses at the backbone: one more backward pass. */
  readonly measureGradients: boolean;
}

/** What a training continues from, beside the parameters. */
export interface StepperState {
  readonly optimizer: AdamWState;
  /** The exponential moving average of the weights, when there is one. */
  readonly ema?: ParameterSet | undefined;
}

/** Takes the steps of a training. */
export interface Stepper<B> {
  /**
   * One update: the gradient over all micro-batches as if they were one batch, clipped, by AdamW; then the moving average.
   *
   * @returns what was measured, by name; `gradientNorm` is the joint L2 norm before clipping
   */
  step(microBatches: readonly B[], options: StepOptions): Record<string, number>;
  /** Runs `work` with the averaged weights in place, or with the weights themselves when there is no average. */
  withAverage<R>(work: () => Promise<R>): Promise<R>;
  state(): StepperState;
  restore(state: StepperState): void;
  dispose(): void;
}

type Gradients = ReadonlyMap<string, Tensor>;

/** Makes the stepper of an objective. */
export function createStepper<B>(
  tf: TensorFlow,
  objective: Objective<B>,
  { beta2, clipGradientNorm, emaDecay }: Pick<Optimization, "beta2" | "clipGradientNorm" | "emaDecay">,
): Stepper<B> {
  const { variables, adversary } = objective;
  const optimizer = createAdamW(tf, variables, objective.groups, { beta2 });
  const ema =
    emaDecay === 0
      ? undefined
      : new Map([...variables].map(([name, variable]) => [name, tf.tidy(() => tf.variable(variable.clone(), false))]));

  function step(microBatches: readonly B[], { learningRate, seed, measureGradients }: StepOptions) {
    const measured: Record<string, number> = {};
    tf.tidy(() => {
      const inputs = objective.inputs(microBatches);
      const seedOf = (i: number) => seed * inputs.length + i;
      const total = sumOver(inputs, (each, i) => {
        const pass = gradientsOf(tf, variables, () => objective.losses(each, seedOf(i)));
        for (const [name, value] of Object.entries(pass.measured)) measured[name] = (measured[name] ?? 0) + value;
        return pass.gradients;
      });
      const gradientNorm = norm(total.values());
      measured.gradientNorm = gradientNorm;
      if (measureGradients && adversary !== undefined) {
        const backbone = new Map(adversary.backbone.map((name) => [name, variables.get(name)!]));
        const plain = sumOver(
          inputs,
          (each, i) =>
            gradientsOf(tf, backbone, () => ({ loss: adversary.loss(each, seedOf(i)), measured: {} })).gradients,
        );
        Object.assign(measured, adversaryNorms(total, plain, "identityLoss" in measured));
      }
      // As PyTorch's clip_grad_norm_ does.
      const scale = clipGradientNorm === 0 ? 1 : Math.min(1, clipGradientNorm / (gradientNorm + 1e-6));
      const clipped = [...total].map(([name, gradient]) => [name, scale === 1 ? gradient : gradient.mul(scale)]);
      optimizer.step(Object.fromEntries(clipped), learningRate);
      for (const [name, average] of ema ?? []) {
        average.assign(average.mul(emaDecay).add(variables.get(name)!.mul(1 - emaDecay)));
      }
    });
    return measured;
  }

  return {
    step,
    async withAverage(work) {
      if (ema === undefined) return work();
      const own = parametersFromVariables(variables);
      assignParameters(tf, variables, parametersFromVariables(ema));
      try {
        return await work();
      } finally {
        assignParameters(tf, variables, own);
      }
    },
    state: () => ({ optimizer: optimizer.state(), ema: ema && parametersFromVariables(ema) }),
    restore(state) {
      optimizer.restore(state.optimizer);
      if (ema !== undefined && state.ema !== undefined) assignParameters(tf, ema, state.ema);
    },
    dispose() {
      optimizer.dispose();
      tf.dispose([...(ema?.values() ?? [])]);
    },
  };
}

/** Values and gradients of one pass. Call within tf.tidy. */
function gradientsOf(
  tf: TensorFlow,
  variables: ReadonlyMap<string, Variable>,
  pass: () => ReturnType<Objective<unknown>["losses"]>,
): { readonly gradients: Gradients; readonly measured: Record<string, number> } {
  const kept: Record<string, Tensor> = {};
  const { grads } = tf.variableGrads(() => {
    const { loss, measured } = pass();
    for (const [name, tensor] of Object.entries(measured)) kept[name] = tf.keep(tensor.clone());
    return loss as Scalar;
  }, [...variables.values()]);
  const measured = Object.fromEntries(
    Object.entries(kept).map(([name, tensor]) => {
      const value = tensor.dataSync()[0]!;
      tensor.dispose();
      return [name, value];
    }),
  );
  return { gradients: new Map([...variables].map(([name, { name: id }]) => [name, grads[id]!])), measured };
}

function sumOver(inputs: readonly Inputs[], gradientsAt: (inputs: Inputs, i: number) => Gradients): Gradients {
  const total = new Map<string, Tensor>();
  for (const [i, each] of inputs.entries()) {
    for (const [name, gradient] of gradientsAt(each, i)) total.set(name, total.get(name)?.add(gradient) ?? gradient);
  }
  return total;
}

/** The joint L2 norm of tensors. */
function norm(tensors: Iterable<Tensor>): number {
  return Math.sqrt([...tensors].reduce((sum, tensor) => sum + tensor.square().sum().dataSync()[0]!, 0));
}

/**
 * The norms of both losses' gradients at the backbone (section 5.3 of the paper). The losses are added, so what the AU loss
 * did not cause is the reversed identity loss's, lambda included.
 */
function adversaryNorms(total: Gradients, plain: Gradients, hasIdentityLoss: boolean): Record<string, number> {
  const auGradientNorm = norm(plain.values());
  if (!hasIdentityLoss) return { auGradientNorm };
  const reversed = [...plain].map(([name, gradient]) => total.get(name)!.sub(gradient));
  const identityGradientNorm = norm(reversed);
  return { auGradientNorm, identityGradientNorm, gradientRatio: identityGradientNorm / auGradientNorm };
}
