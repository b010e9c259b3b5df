import type { ParameterSet } from "@duchenne/model";
import { assignParameters, parametersFromVariables } from "@duchenne/model/training";
import {
  type AdamWState,
  autocast,
  type CompiledStep,
  clipByGlobalNorm,
  compile,
  createAdamW,
  globalNorm,
  seedTensor,
  type TensorFlow,
} from "@duchenne/tensor";
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

/** How a stepper works. */
export type StepperOptions = Pick<Optimization, "beta2" | "clipGradientNorm" | "emaDecay"> & {
  /** What matrix products are computed in; default "float32". */
  readonly precision?: Optimization["precision"] | undefined;
  /** "recorded": each kind of pass is one TensorFlow function; "eager": operation by operation. */
  readonly mode?: "recorded" | "eager" | undefined;
};

type Tensors = Readonly<Record<string, Tensor>>;
type Pass = CompiledStep<Inputs, Tensors>;

/** Makes the stepper of an objective. */
export function createStepper<B>(
  tf: TensorFlow,
  objective: Objective<B>,
  { beta2, clipGradientNorm, emaDecay, precision = "float32", mode = "recorded" }: StepperOptions,
): Stepper<B> {
  const { variables, adversary } = objective;
  const optimizer = createAdamW(tf, variables, objective.groups, { beta2 });
  const zeros = (like: ReadonlyMap<string, Variable>, prefix: string) =>
    new Map([...like].map(([name, each]) => [prefix + name, tf.tidy(() => tf.variable(tf.zerosLike(each), false))]));
  const backbone = new Map((adversary?.backbone ?? []).map((name) => [name, variables.get(name)!]));
  const average = emaDecay === 0 ? new Map<string, Variable>() : zeros(variables, "");
  // A copy, not the same data under two names.
  if (average.size > 0) assignParameters(tf, average, parametersFromVariables(variables));
  const averageState = new Map([...average].map(([name, each]) => [`average.${name}`, each]));
  /** Sums of gradients over the micro-batches of a step; made when there is more than one. */
  const sums = new Map<string, Variable>();

  /** Gradients of a micro-batch, "total.NAME" and, for the loss without the reversed one, "plain.NAME". */
  function gradientsOf(inputs: Inputs, isMeasured: boolean): { gradients: Tensors; measured: Tensors } {
    let measured: Tensors = {};
    const seed = inputs.seed!;
    const total = tf.variableGrads(() => {
      const losses = autocast(precision, () => objective.losses(inputs, seed));
      measured = Object.fromEntries(
        Object.entries(losses.measured).map(([name, each]) => [name, tf.keep(each.clone())]),
      );
      return losses.loss as Scalar;
    }, [...variables.values()]);
    // Kept over the end of the forward pass, but not longer than the step.
    measured = Object.fromEntries(
      Object.entries(measured).map(([name, each]) => {
        const own = each.clone();
        each.dispose();
        return [name, own];
      }),
    );
    const gradients = named(total.grads, variables, "total.");
    if (!isMeasured || adversary === undefined) return { gradients, measured };
    const plain = tf.variableGrads(
      () => autocast(precision, () => adversary.loss(inputs, seed)) as Scalar,
      [...backbone.values()],
    );
    return { gradients: { ...gradients, ...named(plain.grads, backbone, "plain.") }, measured };
  }

  const summed = (gradients: Tensors): Tensors =>
    Object.fromEntries(Object.entries(gradients).map(([name, each]) => [name, sums.get(name)!.add(each)]));

  const accumulate = (isMeasured: boolean): Pass =>
    compile<Inputs, Tensors>(tf, {
      mode,
      name: "accumulate",
      state: new Map([...variables, ...sums]),
      step(inputs: Inputs) {
        const { gradients, measured } = gradientsOf(inputs, isMeasured);
        return { outputs: measured, updates: new Map(Object.entries(summed(gradients))) };
      },
    });

  /** The last micro-batch of a step, and the update. @param isSummed there were others before it */
  const finish = (isMeasured: boolean, isSummed: boolean): Pass =>
    compile<Inputs, Tensors>(tf, {
      mode,
      name: "step",
      state: new Map([...variables, ...optimizer.variables, ...averageState, ...(isSummed ? sums : [])]),
      step(inputs: Inputs) {
        const { gradients: own, measured } = gradientsOf(inputs, isMeasured);
        const gradients = isSummed ? summed(own) : own;
        const total = Object.fromEntries([...variables.keys()].map((name) => [name, gradients[`total.${name}`]!]));
        const clipped =
          clipGradientNorm === 0
            ? { gradients: total, norm: globalNorm(tf, Object.values(total)) }
            : clipByGlobalNorm(tf, total, clipGradientNorm);
        const updates = optimizer.updates(clipped.gradients, inputs.factors!);
        for (const [name, each] of average) {
          updates.set(`average.${name}`, each.mul(emaDecay).add(updates.get(name)!.mul(1 - emaDecay)));
        }
        if (isSummed) for (const name of Object.keys(own)) updates.set(name, tf.zerosLike(sums.get(name)!));
        const norms = isMeasured ? adversaryNorms(tf, gradients, [...backbone.keys()], "identityLoss" in measured) : {};
        return { outputs: { ...measured, gradientNorm: clipped.norm, ...norms }, updates };
      },
    });

  const compiled = new Map<string, Pass>();
  function passOf(kind: "accumulate" | "finish", isMeasured: boolean, isSummed: boolean): Pass {
    const key = `${kind} ${isMeasured} ${isSummed}`;
    let pass = compiled.get(key);
    if (pass === undefined) {
      if (isSummed && sums.size === 0) {
        for (const [name, each] of [...zeros(variables, "total."), ...zeros(backbone, "plain.")]) sums.set(name, each);
      }
      pass = kind === "accumulate" ? accumulate(isMeasured) : finish(isMeasured, isSummed);
      compiled.set(key, pass);
    }
    return pass;
  }

  return {
    step(microBatches, { learningRate, seed, measureGradients }) {
      const measured: Record<string, number> = {};
      const isMeasured = measureGradients && adversary !== undefined;
      const count = microBatches.length;
      tf.tidy(() => {
        const factors = optimizer.advance(learningRate);
        for (const [i, inputs] of objective.inputs(microBatches).entries()) {
          const kind = i === count - 1 ? "finish" : "accumulate";
          const withSeed = { ...inputs, seed: seedTensor(tf, seed * count + i) };
          const outputs = passOf(kind, isMeasured, count > 1).run(
            kind === "finish" ? { ...withSeed, factors } : withSeed,
          );
          for (const [name, each] of Object.entries(outputs))
            measured[name] = (measured[name] ?? 0) + each.dataSync()[0]!;
        }
      });
      return measured;
    },
    async withAverage(work) {
      if (average.size === 0) return work();
      const own = parametersFromVariables(variables);
      assignParameters(tf, variables, parametersFromVariables(average));
      try {
        return await work();
      } finally {
        assignParameters(tf, variables, own);
      }
    },
    state: () => ({
      optimizer: optimizer.state(),
      ema: average.size === 0 ? undefined : parametersFromVariables(average),
    }),
    restore(state) {
      optimizer.restore(state.optimizer);
      if (state.ema !== undefined) assignParameters(tf, average, state.ema);
    },
    dispose() {
      for (const pass of compiled.values()) pass.dispose();
      optimizer.dispose();
      tf.dispose([...average.values(), ...sums.values()]);
    },
  };
}

function named(gradients: Tensors, variables: ReadonlyMap<string, Variable>, prefix: string): Tensors {
  return Object.fromEntries([...variables].map(([name, { name: id }]) => [prefix + name, gradients[id]!]));
}

/**
 * The norms of both losses' gradients at the backbone (section 5.3 of the paper). The losses are added, so what the AU loss
 * did not cause is the reversed identity loss's, lambda included.
 */
function adversaryNorms(
  tf: TensorFlow,
  gradients: Tensors,
  backbone: readonly string[],
  hasIdentityLoss: boolean,
): Tensors {
  const auGradientNorm = globalNorm(
    tf,
    backbone.map((name) => gradients[`plain.${name}`]!),
  );
  if (!hasIdentityLoss) return { auGradientNorm };
  const reversed = backbone.map((name) => gradients[`total.${name}`]!.sub(gradients[`plain.${name}`]!));
  const identityGradientNorm = globalNorm(tf, reversed);
  return { auGradientNorm, identityGradientNorm, gradientRatio: identityGradientNorm.div(auGradientNorm) };
}
