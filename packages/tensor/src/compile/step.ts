import type { Tensor, Variable } from "@tensorflow/tfjs";
import { elementType } from "../element-type.ts";
import type { TensorFlow } from "../tensorflow.ts";

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** What a step answers. */
export interface StepResult<O extends Tensors> {
  readonly outputs: O;
  /** New values of variables, by their names in the state; the others keep theirs. */
  readonly updates?: ReadonlyMap<string, Tensor>;
}

/** A function of tensors and variables, without side effects. */
export type Step<I extends Tensors, O extends Tensors> = (inputs: I) => StepResult<O>;

/** Thrown when what a step answers does not fit its state. */
export class StepResultError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "STEP_RESULT";

  constructor(message: string) {
    super(message);
    this.name = "StepResultError";
  }
}

/** The names of the updates, in order. @throws {StepResultError} when one does not fit its variable */
export function checkedUpdates(
  tf: TensorFlow,
  state: ReadonlyMap<string, Variable>,
  { outputs, updates = new Map() }: StepResult<Tensors>,
): ReadonlyMap<string, Tensor> {
  if (outputs === undefined) throw new StepResultError('Expected a step to answer { outputs }, and to be no "async" function'); // biome-ignore format: one line
  for (const [name, value] of updates) {
    const variable = state.get(name);
    if (variable === undefined) throw new StepResultError(`Expected an update of the state, got one of "${name}"`);
    const expected = `${elementType(tf, variable)} [${variable.shape}]`;
    const actual = `${elementType(tf, value)} [${value.shape}]`;
    if (expected !== actual) throw new StepResultError(`Expected "${name}" to become ${expected}, got ${actual}`);
  }
  return updates;
}

/** Gives variables their new values. @param updates are disposed */
export function assignUpdates(state: ReadonlyMap<string, Variable>, updates: ReadonlyMap<string, Tensor>): void {
  for (const [name, value] of updates) {
    state.get(name)!.assign(value);
    value.dispose();
  }
}
