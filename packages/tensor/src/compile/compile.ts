import type { DataId, Variable } from "@tensorflow/tfjs";
import { backendOf } from "../backend.ts";
import { elementType } from "../element-type.ts";
import { copyOf } from "../fused/adamw-update.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { abandonGradient } from "./abandon-gradient.ts";
import { type Explanation, explain } from "./explain.ts";
import { type RecordedStep, recordStep, releaseCaptures } from "./record-step.ts";
import { assignUpdates, checkedUpdates, type Step, StepResultError, type Tensors } from "./step.ts";
import { xlaByDefault } from "./xla-by-default.ts";

/** How a step is compiled. */
export interface CompileOptions<I extends Tensors, O extends Tensors> {
  /** The variables that the step may give new values, by name. */
  readonly state: ReadonlyMap<string, Variable>;
  /** What is compiled. Called once for each combination of input shapes and types. */
  readonly step: Step<I, O>;
  /** "recorded" (default): one TensorFlow function; "eager": the same operations one by one, to debug and to compare. */
  readonly mode?: "recorded" | "eager";
  /** For errors and profiles; default "step". */
  readonly name?: string;
  /** Functions kept, one for each combination of input shapes and types; the one not used for longest goes. Default 4. */
  readonly cacheSize?: number;
  /** Where the function runs, such as "/device:CPU:0"; default: TensorFlow chooses. */
  readonly device?: string;
  /**
   * Compiles the function with XLA: seconds for a step, once. Random numbers are other ones than without, and fused kernels,
   * which XLA does not know, give way to compositions. Default: on a GPU, unless TensorFloat-32 was
   * switched off.
   */
  readonly xla?: boolean;
  /** The largest constant that may become part of the function; default 1 MiB. */
  readonly maxConstantBytes?: number;
}

/** A step that runs as one call. */
export interface CompiledStep<I extends Tensors, O extends Tensors> {
  /**
   * Runs the step and gives the state its new values.
   *
   * @param inputs scalars that change from step to step (learning rate, seed) belong here, as tensors
   * @returns the outputs; the caller, or its tf.tidy, disposes them
   * @throws {CannotRecordError} when the step does what a function cannot
   * @throws {TensorFlowError} "resource_exhausted" when memory does not suffice
   */
  run(inputs: I): O;
  /** What the function for these inputs consists of; it is recorded if it was not, and not run unless times are asked for. */
  explain(inputs: I, options?: { readonly times?: boolean }): Explanation;
  /** Frees the functions; the state stays. */
  dispose(): void;
}

const MEBIBYTE = 2 ** 20;
let functions = 0;

/**
 * Compiles a step: it is recorded as one TensorFlow function, gradients included, and then runs as one call. The state's
 * variables are inputs of the function, their new values are outputs, so that nothing is overwritten that is still read.
 *
 * What the step reads from outside becomes an input too: tensors with the value they had, variables with the one they have.
 * Which is which, and which of several variables or arguments that share their data, is told apart.
 *
 * @throws {RangeError} for a device that TensorFlow does not have, or a variable that is in the state twice
 */
export function compile<I extends Tensors, O extends Tensors>(
  tf: TensorFlow,
  options: CompileOptions<I, O>,
): CompiledStep<I, O> {
  const { state, step, mode = "recorded", name = "step", cacheSize = 4, device = "" } = options;
  const { maxConstantBytes = MEBIBYTE } = options;
  if (!Number.isInteger(cacheSize) || cacheSize < 1) {
    throw new RangeError(`Expected a cache of at least 1 function, got ${cacheSize}`);
  }
  checkNamedOnce(state);
  const backend = backendOf(tf);
  const devices = backend.binding.devices();
  const known = devices.map((each) => each.name.slice(each.name.indexOf("/device:")));
  if (device !== "" && !known.includes(device)) {
    throw new RangeError(`Expected one of the devices ${known.join(", ")}, got "${device}"`);
  }
  const { xla = xlaByDefault(device, devices) } = options;
  const cache = new Map<string, RecordedStep>();
  let disposed = false;

  function free(recorded: RecordedStep): void {
    backend.binding.deleteFunction(recorded.id);
    releaseCaptures(tf, recorded.captures);
  }

  function recordedFor(inputs: I): RecordedStep {
    const key = signatureOf(tf, inputs);
    let recorded = cache.get(key);
    // Moved to the end: the first is the one not used for longest.
    cache.delete(key);
    recorded ??= recordStep(tf, step, inputs, {
      name: `${name.replace(/\W/g, "_")}_${functions++}`,
      state,
      xla,
      maxConstantBytes,
    });
    cache.set(key, recorded);
    for (const [oldest, least] of cache) {
      if (cache.size <= cacheSize) break;
      cache.delete(oldest);
      free(least);
    }
    return recorded;
  }

  function argumentsOf({ inputNames, captures }: RecordedStep, inputs: Tensors): number[] {
    const captured = captures.map((capture): { readonly dataId: DataId } => {
      if (capture.kind === "tensor") return capture;
      if (!capture.variable.isDisposed) return capture.variable;
      throw new StepResultError(`The step reads the variable "${capture.variable.name}", which was disposed`);
    });
    return backend.getInputTensorIds([...inputNames.map((each) => inputs[each]!), ...state.values(), ...captured]);
  }

  function checkCallable(inputs: I): void {
    if (disposed) throw new Error(`The compiled step "${name}" was disposed`);
    for (const [kind, tensors] of [
      ["input", Object.entries(inputs)],
      ["state's variable", state],
    ] as const) {
      for (const [each, { isDisposed }] of tensors) {
        if (isDisposed)
          throw new RangeError(`The compiled step "${name}" cannot run: its ${kind} "${each}" was disposed`);
      }
    }
    if (backend.recorder !== undefined || tf.engine().isTapeOn()) {
      throw new Error(
        `The compiled step "${name}" cannot run within a gradient or another step: call its function there`,
      );
    }
  }

  function runRecorded(inputs: I): O {
    const recorded = recordedFor(inputs);
    const { outputNames, updateNames, overwrittenNames } = recorded;
    const infos = withOwnMemory(inputs, overwrittenNames, (given) =>
      backend.binding.runFunction(recorded.id, argumentsOf(recorded, given), device),
    );
    const tensors = infos.map((info) => backend.createOutputTensor(info));
    const outputs = outputNames.map((each, i) => [each, tensors[i]!] as const);
    assignUpdates(state, new Map(updateNames.map((each, i) => [each, tensors[outputNames.length + i]!])));
    return Object.fromEntries(outputs) as Tensors as O;
  }

  /**
   * Runs what overwrites variables of the state. Before, they are given memory of their own where someone else has theirs:
   * clones, views, other variables, or an input that is such a variable itself.
   */
  function withOwnMemory<R>(inputs: I, overwrittenNames: readonly string[], run: (given: Tensors) => R): R {
    if (overwrittenNames.length === 0) return run(inputs);
    const overwritten = overwrittenNames.map((each) => state.get(each)!);
    // Clones: so an input that is one of the variables counts as someone else.
    const given = Object.fromEntries(Object.entries(inputs).map(([each, tensor]) => [each, tensor.clone()]));
    try {
      const ids = backend.getInputTensorIds(overwritten);
      const sharing = new Set(backend.binding.sharingMemory(ids));
      for (const [i, variable] of overwritten.entries()) {
        if (sharing.has(ids[i]!) || backend.tensorMap.get(variable.dataId).refCount > 1) giveOwnMemory(variable);
      }
      return run(given);
    } finally {
      tf.dispose(given);
    }
  }

  function giveOwnMemory(variable: Variable): void {
    const copy = copyOf(tf, variable);
    variable.assign(copy);
    copy.dispose();
  }

  function runEagerly(inputs: I): O {
    const { outputs, updates } = tf.tidy(() => {
      const result = step(inputs);
      const checked = checkedUpdates(tf, state, result);
      // Copies, as a function's answers are: disposing them must not touch an input or a variable.
      return {
        outputs: Object.fromEntries(Object.entries(result.outputs).map(([each, value]) => [each, value.clone()])),
        updates: Object.fromEntries([...checked].map(([each, value]) => [each, value.clone()])),
      };
    });
    assignUpdates(state, new Map(Object.entries(updates)));
    return outputs as Tensors as O;
  }

  return {
    run(inputs) {
      checkCallable(inputs);
      if (mode === "recorded") return runRecorded(inputs);
      try {
        return runEagerly(inputs);
      } catch (error) {
        abandonGradient(tf);
        throw error;
      }
    },
    explain(inputs, { times = false } = {}) {
      checkCallable(inputs);
      const recorded = recordedFor(inputs);
      const metadata = times ? backend.binding.traceFunction(recorded.id, argumentsOf(recorded, inputs)) : undefined;
      return explain(recorded, metadata);
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const recorded of cache.values()) free(recorded);
      cache.clear();
    },
  };
}

/** @throws {RangeError} for a variable with two names: it could take but one of two new values */
function checkNamedOnce(state: ReadonlyMap<string, Variable>): void {
  const names = new Map<Variable, string>();
  for (const [name, variable] of state) {
    const other = names.get(variable);
    if (other !== undefined) throw new RangeError(`The state has one variable twice, as "${other}" and as "${name}"`);
    names.set(variable, name);
  }
}

/** Equal for inputs that one function takes. */
function signatureOf(tf: TensorFlow, inputs: Tensors): string {
  const parts = Object.entries(inputs).map(([name, tensor]) => `${name}:${elementType(tf, tensor)}[${tensor.shape}]`);
  return parts.sort().join(" ");
}
