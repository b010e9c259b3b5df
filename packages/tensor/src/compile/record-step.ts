import type { DataId, Tensor, Variable } from "@tensorflow/tfjs";
import { backendOf } from "../backend.ts";
import { withoutFusedKernels } from "../fused/kernel-library.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { abandonGradient } from "./abandon-gradient.ts";
import { CannotRecordError } from "./cannot-record-error.ts";
import { type Capture, StepRecorder } from "./recorder.ts";
import { refuseChanges } from "./refuse-changes.ts";
import { checkedUpdates, type Step, type Tensors } from "./step.ts";

/** A step that TensorFlow knows as one function. */
export interface RecordedStep {
  /** Its number in the addon. */
  readonly id: number;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** The variables that it gives new values, by their names in the state. */
  readonly updateNames: readonly string[];
  /** Those of them whose memory it overwrites. */
  readonly overwrittenNames: readonly string[];
  readonly captures: readonly Capture[];
  /** How often each operation occurs. */
  readonly operations: ReadonlyMap<string, number>;
}

/** How a step is recorded. */
export interface RecordOptions {
  /** The function's name in TensorFlow; no other may have it. */
  readonly name: string;
  readonly state: ReadonlyMap<string, Variable>;
  readonly xla: boolean;
  readonly maxConstantBytes: number;
}

/**
 * Runs a step once with tensors that have no values, and makes one function of the operations that it calls: its inputs are
 * the given ones, then the state, then what the step reads from outside.
 *
 * @throws {CannotRecordError}
 * @throws {StepResultError}
 */
export function recordStep<I extends Tensors>(
  tf: TensorFlow,
  step: Step<I, Tensors>,
  inputs: I,
  { name, state, xla, maxConstantBytes }: RecordOptions,
): RecordedStep {
  const backend = backendOf(tf);
  // What JavaScript has not handed over yet would otherwise look like a constant of the step.
  backend.getInputTensorIds([...Object.values(inputs), ...state.values()]);
  const inState = new Set(state.values());
  const outside = Object.values(tf.engine().registeredVariables).filter((variable) => !inState.has(variable));
  const stand = [...state.values(), ...outside].map((variable) => ({ variable, dataId: variable.dataId }));
  const lent = new Map<DataId, Variable>();
  const recorder = new StepRecorder(backend, lent, maxConstantBytes);

  const asInput = (tensor: Tensor): Tensor => {
    const { shape, dtype } = backend.tensorMap.get(tensor.dataId);
    return backend.createOutputTensor(backend.binding.recordInput(shape, dtype));
  };
  /** Data of its own, that becomes an input when it is read: so variables that share theirs are told apart, also from clones. */
  const asCapture = (variable: Variable): Tensor => {
    const { shape, dtype } = backend.tensorMap.get(variable.dataId);
    const symbol = backend.createOutputTensor({ id: -1, shape, dtype });
    lent.set(symbol.dataId, variable);
    return symbol;
  };
  let isRecording = false;
  let id: number | undefined;
  const scope = tf.engine();
  scope.startScope("record");
  try {
    backend.binding.beginRecording();
    isRecording = true;
    backend.recorder = recorder;
    return refuseChanges(tf, () => {
      const arguments_ = Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, asInput(tensor)]));
      const symbols = [...[...state.values()].map(asInput), ...outside.map(asCapture)];
      for (const [i, { variable }] of stand.entries()) lendData(variable, symbols[i]!.dataId);
      const write = () => step(arguments_ as Tensors as I);
      const result = xla ? withoutFusedKernels(write) : write();
      const updates = checkedUpdates(tf, state, result);
      const outputs = backend.getInputTensorIds([...Object.values(result.outputs), ...updates.values()]);
      // From here on the addon ends it, also when it refuses.
      isRecording = false;
      const ended = backend.binding.endRecording(name, outputs, xla);
      id = ended.id;
      const names = { inputs: Object.keys(inputs), state: [...state.keys()], updates: [...updates.keys()] };
      return {
        id,
        inputNames: names.inputs,
        outputNames: Object.keys(result.outputs),
        updateNames: names.updates,
        overwrittenNames: ended.overwritten.map((position) => overwrittenName(position, names)),
        captures: recorder.captures,
        operations: new Map(ended.operations),
      };
    });
  } catch (error) {
    abandonGradient(tf);
    if (isRecording) backend.binding.abandonRecording();
    if (id !== undefined) backend.binding.deleteFunction(id);
    releaseCaptures(tf, recorder.captures);
    throw error;
  } finally {
    backend.recorder = undefined;
    for (const { variable, dataId } of stand) lendData(variable, dataId);
    scope.endScope();
  }
}

interface Names {
  readonly inputs: readonly string[];
  readonly state: readonly string[];
  readonly updates: readonly string[];
}

/** The variable of the state that a function overwrites at a position of its inputs. @throws {CannotRecordError} */
function overwrittenName(position: number, { inputs, state, updates }: Names): string {
  const input = inputs[position];
  if (input !== undefined) {
    throw new CannotRecordError(
      `Overwriting the input "${input}"`,
      "an optimizer overwrites variables of the state alone",
    );
  }
  const name = state[position - inputs.length];
  if (name === undefined) {
    throw new CannotRecordError(
      "Overwriting what is no part of the state",
      "put all weights and moments of the optimizer into the step's state",
    );
  }
  if (updates.includes(name)) return name;
  throw new CannotRecordError(
    `Overwriting "${name}" without an update`,
    "return all that the optimizer answers among the step's updates",
  );
}

/** Lets go of tensors that a function needed. */
export function releaseCaptures(tf: TensorFlow, captures: readonly Capture[]): void {
  for (const capture of captures) if (capture.kind === "tensor") backendOf(tf).disposeData(capture.dataId);
}

/** While a step is recorded, its variables stand for values of the recording. */
function lendData(variable: Variable, dataId: DataId): void {
  Object.assign(variable, { dataId });
}
