import { createRandom } from "@duchenne/data";
import type { Parameter } from "@duchenne/model";
import {
  assignParameters,
  identityLoss,
  parametersFromVariables,
  variablesFromParameters,
} from "@duchenne/model/training";
import { gelu, linear, type ParameterGroup, type Seed, type TensorFlow } from "@duchenne/tensor";
import type { Tensor } from "@tensorflow/tfjs";
import { type Inputs, type Objective, sharesOf } from "./objective.ts";

/** A micro-batch with subjects; what it shows of them depends on the features' source. */
export interface IdentityBatch {
  /** Features [B, D] or images [B, 3, S, S]. */
  readonly values: Float32Array;
  /** [B] */
  readonly subjects: Int32Array;
}

/** What a probe looks at. */
export interface FeatureSource {
  /** A batch's values as tensors. */
  inputs(values: Float32Array): Inputs;
  /** Features [B, D]; no gradient reaches what made them. */
  features(inputs: Inputs, seed: Seed): Tensor;
}

/** A probe and its loss. */
export interface IdentityObjective extends Objective<IdentityBatch> {
  /** Features [B, D] to identity logits [B, S]. */
  logits(features: Tensor): Tensor;
  dispose(): void;
}

/** The probe's shape. */
export interface ProbeShape {
  readonly dim: number;
  readonly subjects: number;
  /** Linear layers; several halve their width from one to the next, with GELU between them. */
  readonly layers: number;
}

/**
 * A probe on features that stay as they are, with binary cross-entropy over one-hot subjects (1.14 of the behavioural
 * specification). The last layer has no bias and starts at a standard deviation of 2e-5; hidden layers start uniform within
 * 1 / sqrt(fan in).
 */
export function createIdentityObjective(
  tf: TensorFlow,
  source: FeatureSource,
  shape: ProbeShape,
  { seed, weightDecay }: { readonly seed: number; readonly weightDecay: number },
): IdentityObjective {
  const variables = variablesFromParameters(tf, initialProbe(shape, seed));
  const logits = (features: Tensor) =>
    Array.from({ length: shape.layers }, (_, i) => i).reduce(
      (x, i) =>
        linear(tf, i === 0 ? x : gelu(tf, x), variables.get(`probe.${i}.weight`)!, variables.get(`probe.${i}.bias`)),
      features,
    );
  const named = (suffix: string) => [...variables.keys()].filter((name) => name.endsWith(suffix));
  const groups: ParameterGroup[] = [
    { names: named(".weight"), learningRateScale: 1, weightDecay },
    { names: named(".bias"), learningRateScale: 1, weightDecay: 0 },
  ];
  return {
    variables,
    groups,
    inputs(batches) {
      const shares = sharesOf(batches.map(({ subjects }) => subjects.length));
      return batches.map(({ values, subjects }, i) => ({
        ...source.inputs(values),
        subjects: tf.tensor1d(subjects, "int32"),
        share: tf.scalar(shares[i]!),
      }));
    },
    losses(inputs, passSeed) {
      const { subjects, share } = inputs;
      const answers = logits(source.features(inputs, passSeed));
      const loss = identityLoss(tf, answers, subjects!, "bce").mul(share!);
      const accuracy = answers.argMax(-1).equal(subjects!).cast("float32").mean().mul(share!);
      return { loss, measured: { identityLoss: loss, identityAccuracy: accuracy } };
    },
    logits,
    parameters: () => parametersFromVariables(variables),
    load: (parameters) => assignParameters(tf, variables, parameters),
    dispose: () => tf.dispose([...variables.values()]),
  };
}

function initialProbe({ dim, subjects, layers }: ProbeShape, seed: number): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  for (let i = 0; i < layers; i++) {
    const inputs = Math.floor(dim / 2 ** i);
    const isLast = i === layers - 1;
    const outputs = isLast ? subjects : Math.floor(dim / 2 ** (i + 1));
    const random = createRandom([seed, "identity-probe", i]);
    const uniform = () => (2 * random.uniform() - 1) / Math.sqrt(inputs);
    const fill = (length: number, draw: () => number) => Float32Array.from({ length }, draw);
    parameters.set(`probe.${i}.weight`, {
      shape: [outputs, inputs],
      data: fill(outputs * inputs, isLast ? () => 2e-5 * random.normal() : uniform),
    });
    if (!isLast) parameters.set(`probe.${i}.bias`, { shape: [outputs], data: fill(outputs, uniform) });
  }
  return parameters;
}
