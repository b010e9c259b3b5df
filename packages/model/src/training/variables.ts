import type { TensorFlow } from "@duchenne/tensor";
import type { Variable } from "@tensorflow/tfjs";
import type { Parameter, ParameterSet } from "../parameters.ts";

/** Makes variables of parameters, by the same names. @param trained what gradients are taken of; default: all */
export function variablesFromParameters(
  tf: TensorFlow,
  parameters: ParameterSet,
  trained: (name: string) => boolean = () => true,
): Map<string, Variable> {
  return new Map(
    [...parameters].map(([name, { shape, data }]): [string, Variable] => [
      name,
      tf.tidy(() => tf.variable(tf.tensor(data, [...shape]), trained(name))),
    ]),
  );
}

/** Copies variables out. */
export function parametersFromVariables(variables: ReadonlyMap<string, Variable>): ParameterSet {
  return new Map(
    [...variables].map(([name, variable]): [string, Parameter] => [
      name,
      { shape: variable.shape, data: Float32Array.from(variable.dataSync()) },
    ]),
  );
}

/** Replaces the values of variables by parameters of the same names and shapes. */
export function assignParameters(
  tf: TensorFlow,
  variables: ReadonlyMap<string, Variable>,
  parameters: ParameterSet,
): void {
  for (const [name, { shape, data }] of parameters) {
    tf.tidy(() => variables.get(name)!.assign(tf.tensor(data, [...shape])));
  }
}
