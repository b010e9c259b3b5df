import type { DataId, Variable } from "@tensorflow/tfjs";
import type { Recorder, TensorBackend, TensorData } from "../backend.ts";
import { elementTypeName } from "../element-type.ts";
import { TensorFlowError } from "../tensorflow-error.ts";
import { CannotRecordError } from "./cannot-record-error.ts";

/** Numbers from here on stand for values of a recording (native/tensor-table.h). */
const FIRST_SYMBOL = 2 ** 52;
/** Operations that draw random numbers from a state of their own. */
const STATEFUL_RANDOM = /^(Random|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal)/;
/** Functions of tf.js that draw random numbers in JavaScript, by their names in a stack. */
const TFJS_RANDOM = /\b(rand|random[A-Z]\w*|truncatedNormal|dropout)_ /;

/** A value from outside the step that it reads: a tensor, or a variable that is no part of its state. */
export type Capture =
  | { readonly kind: "tensor"; readonly dataId: DataId }
  | { readonly kind: "variable"; readonly variable: Variable };

/** Writes down what a step does, and refuses what a function cannot do. */
export class StepRecorder implements Recorder {
  /** In the order of the function's last inputs. */
  readonly captures: Capture[] = [];
  private readonly backend: TensorBackend;
  private readonly maxConstantBytes: number;
  /** Variables by their data. */
  private readonly variables: ReadonlyMap<DataId, Variable>;
  /** Data that JavaScript made during the recording: constants. */
  private readonly made = new Set<DataId>();
  /** Numbers of constants and captures. */
  private readonly ids = new Map<DataId, number>();

  /** @param variables those that are no part of the state, by data that stand for them and for nothing else */
  constructor(backend: TensorBackend, variables: ReadonlyMap<DataId, Variable>, maxConstantBytes: number) {
    this.backend = backend;
    this.maxConstantBytes = maxConstantBytes;
    this.variables = variables;
  }

  idOf(dataId: DataId, data: TensorData): number {
    if (data.id >= FIRST_SYMBOL) return data.id;
    let id = this.ids.get(dataId);
    if (id === undefined) {
      id = this.made.has(dataId) ? this.constant(data) : this.capture(dataId, data);
      this.ids.set(dataId, id);
    }
    return id;
  }

  wrote(dataId: DataId): void {
    const drawn = TFJS_RANDOM.exec(new Error().stack ?? "");
    if (drawn !== null) {
      throw new CannotRecordError(
        `tf.${drawn[1]}`,
        "its numbers are drawn in JavaScript and would be the same in every run; give the step a seed as an input, and " +
          "draw with dropPath or another stateless operation",
      );
    }
    this.made.add(dataId);
  }

  beforeRead(dataId: DataId, data: TensorData): void {
    const variable = this.variables.get(dataId);
    if (data.id < FIRST_SYMBOL && variable === undefined) return;
    throw new CannotRecordError(
      "Reading a value (dataSync, data, arraySync, ...)",
      "while a step is recorded its values do not exist; return what is to be read as an output",
    );
  }

  beforeOperation(name: string): void {
    if (!STATEFUL_RANDOM.test(name)) return;
    throw new CannotRecordError(name, "its random numbers depend on no seed; use a stateless operation with a seed");
  }

  errorFrom(error: unknown): unknown {
    if (!(error instanceof TensorFlowError)) return error;
    if (error.code === "unimplemented") {
      return new CannotRecordError(
        error.message.split(":")[0]!,
        "the shape of its output depends on values, and a function has fixed shapes; mask instead of selecting",
        error,
      );
    }
    if (error.code === "failed_precondition") {
      // "WHAT: REMEDY" (native/recording.h).
      const [what = "", ...remedy] = error.message.split(": ");
      return new CannotRecordError(what, remedy.join(": "), error);
    }
    return error;
  }

  private constant(data: TensorData): number {
    const { shape, dtype, values } = data;
    const bytes = ArrayBuffer.isView(values) ? values.byteLength : 0;
    if (bytes > this.maxConstantBytes && !allEqual(values as Float32Array)) {
      throw new CannotRecordError(
        `A constant of ${bytes} bytes (${elementTypeName(dtype)} [${shape.join(", ")}])`,
        `at most ${this.maxConstantBytes} bytes become part of the function; make the tensor before the step is recorded, ` +
          "so that it is captured as an input, or give it as an input",
      );
    }
    return this.backend.binding.recordConstant(shape, dtype, values).id;
  }

  private capture(dataId: DataId, data: TensorData): number {
    const variable = this.variables.get(dataId);
    if (variable !== undefined) {
      this.captures.push({ kind: "variable", variable });
      data.id = this.backend.binding.recordInput(data.shape, data.dtype).id;
      return data.id;
    }
    // The function goes on to need it when its owner has disposed it.
    this.backend.incRef(dataId);
    this.captures.push({ kind: "tensor", dataId });
    return this.backend.binding.recordInput(data.shape, data.dtype).id;
  }
}

function allEqual(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], values[0])) return false;
  return true;
}
