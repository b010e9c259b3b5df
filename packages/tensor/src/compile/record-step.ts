import type { DataId, Tensor, Variable } from "@tensorflow/tfjs";
import { backendOf } from "../backend.ts";
import type { TensorFlow } from "../tensorflow.ts";
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
  const others = new Set(Object.values(tf.engine().registeredVariables));
  for (const variable of state.values()) others.delete(variable);
  const recorder = new StepRecorder(backend, others, maxConstantBytes);
  const stand = [...state.values()].map((variable) => ({ variable, dataId: variable.dataId }));

  const asInput = (tensor: Tensor): Tensor => {
    const { shape, dtype } = backend.tensorMap.get(tensor.dataId);
    return backend.createOutputTensor(backend.binding.recordInput(shape, dtype));
  };
  let finished = false;
  try {
    backend.binding.beginRecording();
    backend.recorder = recorder;
    return tf.tidy(() =>
      refuseChanges(tf, () => {
        const arguments_ = Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, asInput(tensor)]));
        const symbols = stand.map(({ variable }) => asInput(variable));
        for (const [i, { variable }] of stand.entries()) lendData(variable, symbols[i]!.dataId);
        const result = step(arguments_ as Tensors as I);
        const updates = checkedUpdates(tf, state, result);
        const ids = backend.getInputTensorIds([...Object.values(result.outputs), ...updates.values()]);
        finished = true;
        const { id, operations } = backend.binding.endRecording(name, ids, xla);
        return {
          id,
          inputNames: Object.keys(inputs),
          outputNames: Object.keys(result.outputs),
          updateNames: [...updates.keys()],
          captures: recorder.captures,
          operations: new Map(operations),
        } as never;
      }),
    ) as RecordedStep;
  } catch (error) {
    if (!finished && backend.recorder !== undefined) backend.binding.abandonRecording();
    releaseCaptures(tf, recorder.captures);
    throw error;
  } finally {
    backend.recorder = undefined;
    for (const { variable, dataId } of stand) lendData(variable, dataId);
  }
}

/** Lets go of tensors that a function needed. */
export function releaseCaptures(tf: TensorFlow, captures: readonly Capture[]): void {
  for (const capture of captures) if (capture.kind === "tensor") backendOf(tf).disposeData(capture.dataId);
}

/** While a step is recorded, its variables stand for values of the recording. */
function lendData(variable: Variable, dataId: DataId): void {
  Object.assign(variable, { dataId });
}
