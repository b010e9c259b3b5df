import { createRequire } from "node:module";
import type { BackendValues, DataId, DataType, KernelBackend, Tensor } from "@tensorflow/tfjs";
import type { Binding, OperationAttribute, TensorInfo } from "./binding.ts";
import { type ElementType, elementTypeName, elementTypeNumber } from "./element-type.ts";
import { TensorFlowError, tensorFlowErrorFrom } from "./tensorflow-error.ts";

/** What tf.js and TensorFlow know of a tensor's data. */
export interface TensorData {
  readonly shape: number[];
  /** TensorFlow's number of the element type. */
  readonly dtype: number;
  /** Negative until the values have been handed to TensorFlow. */
  id: number;
  /** Those that JavaScript made and TensorFlow has not seen yet. */
  values: unknown;
  refCount: number;
}

/** Takes the place of TensorFlow's execution while a step is recorded. */
export interface Recorder {
  /** The number of a tensor's value in the recording. */
  idOf(dataId: DataId, data: TensorData): number;
  /** Told of data that JavaScript makes. */
  wrote(dataId: DataId): void;
  /** Asked before data are read. @throws when they have no value yet */
  beforeRead(dataId: DataId, data: TensorData): void;
  /** Told of an operation before it is recorded. @throws when it cannot be */
  beforeOperation(name: string): void;
  /** Makes an error of the recording one that says where in the step it arose. */
  errorFrom(error: unknown): unknown;
}

/** The parts of @tensorflow/tfjs-node's backend that are used here. */
interface StockBackend extends KernelBackend {
  readonly tensorMap: {
    get(dataId: DataId): TensorData;
    set(dataId: DataId, data: TensorData): void;
    has(dataId: DataId): boolean;
  };
}

/** A tensor, or what kernels make of one. */
export interface DataHolder {
  readonly dataId: DataId;
  readonly isDisposed?: boolean;
}

/** tf.js's backend on the native addon. */
export interface TensorBackend extends StockBackend {
  readonly binding: Binding;
  /** Set while a step is recorded. */
  recorder: Recorder | undefined;
  /** Makes a tensor of what the addon answered. */
  createOutputTensor(info: TensorInfo): Tensor;
  /**
   * The addon's numbers of tensors; hands values over that TensorFlow has not seen.
   *
   * @throws {TensorFlowError} "failed_precondition" for a tensor that was disposed
   */
  getInputTensorIds(tensors: readonly DataHolder[]): number[];
}

/** As what tf.js takes tensors of each element type: it knows five. Reading widens those of 16 bits to float32. */
const TFJS_TYPES: Readonly<Record<ElementType, "float32" | "int32" | "bool" | "complex64" | "string">> = {
  float32: "float32",
  float64: "float32",
  bfloat16: "float32",
  float16: "float32",
  int32: "int32",
  int64: "int32",
  uint64: "int32",
  uint8: "int32",
  bool: "bool",
  complex64: "complex64",
  string: "string",
  resource: "string",
  variant: "string",
};

/** The backend that tf.js runs on. */
export function backendOf(tf: { backend(): unknown }): TensorBackend {
  return tf.backend() as TensorBackend;
}

/**
 * Makes the backend: tfjs-node's kernels on our addon. Differs from the stock one in that operations can be recorded, that
 * tensors may be bfloat16 (labelled float32), and that errors have a canonical code.
 *
 * @param tf whose tensors it makes
 */
export function createBackend(tf: typeof import("@tensorflow/tfjs"), native: Binding): TensorBackend {
  const require = createRequire(import.meta.url);
  const { NodeJSKernelBackend: Stock } = require("@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js") as {
    NodeJSKernelBackend: new (binding: Binding, packageName: string) => StockBackend;
  };

  class Backend extends Stock implements TensorBackend {
    declare readonly binding: Binding;
    recorder: Recorder | undefined = undefined;

    createOutputTensor({ id, shape, dtype }: TensorInfo): Tensor {
      const dataId = {};
      this.tensorMap.set(dataId, { shape, dtype, id, values: null, refCount: 1 });
      return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype: TFJS_TYPES[elementTypeName(dtype)] });
    }

    getInputTensorIds(tensors: readonly DataHolder[]): number[] {
      return tensors.map(({ dataId, isDisposed }) => {
        if (isDisposed) throw new TensorFlowError("failed_precondition", "A tensor was used after it was disposed");
        const data = this.tensorMap.get(dataId);
        if (this.recorder !== undefined) return this.recorder.idOf(dataId, data);
        if (data.values !== null) {
          data.id = this.binding.createTensor(data.shape, data.dtype, data.values);
          data.values = null;
        }
        return data.id;
      });
    }

    override move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
      this.tensorMap.set(dataId, { shape, dtype: elementTypeNumber(dtype), values, id: -1, refCount });
      this.recorder?.wrote(dataId);
    }

    override readSync(dataId: DataId): BackendValues {
      if (this.tensorMap.has(dataId)) this.recorder?.beforeRead(dataId, this.tensorMap.get(dataId));
      return super.readSync(dataId);
    }
  }

  // The kernels call the binding in many places; so errors get their form here.
  const binding: Binding = { ...native };
  const backend = new Backend(binding, "@tensorflow/tfjs-node-gpu");
  for (const [name, value] of Object.entries(native)) {
    if (typeof value !== "function") continue;
    Object.assign(binding, { [name]: guarded(value as (...args: unknown[]) => unknown, backend) });
  }
  const execute = binding.executeOp;
  binding.executeOp = (name: string, attributes: readonly OperationAttribute[], inputs, outputs) => {
    backend.recorder?.beforeOperation(name);
    return execute(name, attributes, inputs, outputs);
  };
  return backend;
}

function guarded(call: (...args: unknown[]) => unknown, backend: TensorBackend): (...args: unknown[]) => unknown {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      const told = tensorFlowErrorFrom(error);
      throw backend.recorder === undefined ? told : backend.recorder.errorFrom(told);
    }
  };
}
