/** What the native addon says of a tensor. */
export interface TensorInfo {
  readonly id: number;
  readonly shape: number[];
  /** TensorFlow's number of the element type. */
  readonly dtype: number;
}

/** An attribute of an operation; of which kind its value is, the operation's definition says. */
export interface OperationAttribute {
  readonly name: string;
  readonly value: unknown;
}

/** A device that TensorFlow found. */
export interface Device {
  /** Such as "/job:localhost/replica:0/task:0/device:CPU:0". */
  readonly name: string;
  /** "CPU" or "GPU". */
  readonly type: string;
  readonly memoryBytes: number;
}

/** Tensors that are alive. */
export interface MemoryStatistics {
  readonly tensors: number;
  /** Of their elements; tensors that share memory count twice. */
  readonly bytes: number;
}

/**
 * The native addon (native/exports.h). Tensors go by numbers. Every function throws an Error whose `code` is a canonical
 * code; none crashes, whatever it is given.
 */
export interface Binding {
  readonly TF_Version: string;
  /** Loads a shared library for those that TensorFlow opens later; it may fail, and then TensorFlow says what it lacks. */
  preload(path: string): void;
  /** @param config a serialized ConfigProto */
  open(config: Uint8Array): void;
  devices(): Device[];
  loadLibrary(path: string): string[];
  createTensor(shape: readonly number[], dtype: number | string, values: unknown): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): unknown;
  tensorDevice(id: number): string;
  memoryStatistics(): MemoryStatistics;
  /** Those of the tensors whose memory another tensor uses too: a view of it. For tensors of the CPU. */
  sharingMemory(ids: readonly number[]): number[];
  executeOp(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorInfo[];
  beginRecording(): void;
  recordInput(shape: readonly number[], dtype: number): TensorInfo;
  recordConstant(shape: readonly number[], dtype: number, values: unknown): TensorInfo;
  /** `overwritten` are positions of inputs. */
  endRecording(
    name: string,
    outputs: readonly number[],
    xla: boolean,
  ): { readonly id: number; readonly operations: [string, number][]; readonly overwritten: number[] };
  abandonRecording(): void;
  /** @param device "": TensorFlow chooses */
  runFunction(id: number, inputs: readonly number[], device: string): TensorInfo[];
  traceFunction(id: number, inputs: readonly number[]): Uint8Array;
  deleteFunction(id: number): void;
}
