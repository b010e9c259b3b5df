import { ByteBuffer } from "flatbuffers";

/** Thrown when a TensorFlow Lite file cannot be read or holds what the converter does not know. */
export class UnsupportedModelError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "UNSUPPORTED_FACE_MODEL";

  constructor(message: string) {
    super(message);
    this.name = "UnsupportedModelError";
  }
}

/** Element types that the converter reads. */
export type TfliteType = "float32" | "float16" | "int32" | "int64";

/** A tensor of a TensorFlow Lite graph. */
export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TfliteType;
  /** The constant's bytes; absent for values that are computed. */
  readonly data?: Uint8Array;
}

/** An operator of a TensorFlow Lite graph. */
export interface TfliteOperator {
  /** Name in the schema's BuiltinOperator, such as "CONV_2D". */
  readonly type: string;
  /** Tensor indices; -1 for one left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Reads scalar field `index` of the operator's option table. */
  option(index: number, kind: "int8" | "int32", fallback: number): number;
}

/** A TensorFlow Lite model with one graph. */
export interface TfliteModel {
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** BuiltinOperator codes of the TensorFlow Lite schema that the converter may meet. */
const OPERATOR_NAMES: Readonly<Record<number, string>> = {
  0: "ADD",
  2: "CONCATENATION",
  3: "CONV_2D",
  4: "DEPTHWISE_CONV_2D",
  6: "DEQUANTIZE",
  14: "LOGISTIC",
  17: "MAX_POOL_2D",
  18: "MUL",
  22: "RESHAPE",
  34: "PAD",
  39: "TRANSPOSE",
  40: "MEAN",
  41: "SUB",
  42: "DIV",
  45: "STRIDED_SLICE",
  54: "PRELU",
  59: "NEG",
  74: "SUM",
  75: "SQRT",
  76: "RSQRT",
  99: "SQUARED_DIFFERENCE",
};

const TENSOR_TYPES: Readonly<Record<number, TfliteType>> = { 0: "float32", 1: "float16", 2: "int32", 4: "int64" };

/**
 * Reads a TensorFlow Lite file (schema version 3) by the field numbers of its flatbuffers schema.
 *
 * @throws {UnsupportedModelError} naming the operator or type that is not known
 */
export function readTflite(bytes: Uint8Array): TfliteModel {
  const buffer = new ByteBuffer(bytes);
  if (bytes.length < 8 || Buffer.from(bytes.subarray(4, 8)).toString("latin1") !== "TFL3") {
    throw new UnsupportedModelError(`Expected a TensorFlow Lite file ("TFL3"), got ${bytes.length} other bytes`);
  }
  const model = tableAt(buffer, buffer.readInt32(0));
  const codes = model.tables(1).map((code) => Math.max(code.scalar(0, "int8", 0), code.scalar(3, "int32", 0)));
  const buffers = model.tables(4).map((each) => each.bytes(0));
  const graphs = model.tables(2);
  const graph = graphs[0];
  if (graph === undefined || graphs.length !== 1)
    throw new UnsupportedModelError(`Expected one graph, got ${graphs.length}`);

  return {
    inputs: graph.integers(1),
    outputs: graph.integers(2),
    tensors: graph.tables(0).map((tensor): TfliteTensor => {
      const typeCode = tensor.scalar(1, "int8", 0);
      const type = TENSOR_TYPES[typeCode];
      const name = tensor.text(3);
      if (type === undefined) throw new UnsupportedModelError(`Tensor "${name}" has element type ${typeCode}`);
      const data = buffers[tensor.scalar(2, "int32", 0)];
      return { name, type, shape: tensor.integers(0), ...(data === undefined || data.length === 0 ? {} : { data }) };
    }),
    operators: graph.tables(3).map((operator): TfliteOperator => {
      const code = codes[operator.scalar(0, "int32", 0)] ?? -1;
      const type = OPERATOR_NAMES[code];
      if (type === undefined) throw new UnsupportedModelError(`Operator code ${code} is not one the converter knows`);
      const options = operator.table(4);
      return {
        type,
        inputs: operator.integers(1),
        outputs: operator.integers(2),
        option: (index, kind, fallback) => options?.scalar(index, kind, fallback) ?? fallback,
      };
    }),
  };
}

/** A flatbuffers table, read by field number. */
interface Table {
  scalar(field: number, kind: "int8" | "int32", fallback: number): number;
  table(field: number): Table | undefined;
  tables(field: number): Table[];
  integers(field: number): number[];
  bytes(field: number): Uint8Array | undefined;
  text(field: number): string;
}

function tableAt(buffer: ByteBuffer, position: number): Table {
  /** Position of a field, 0 when absent. Fields stand in the vtable from its third 16-bit entry on. */
  const at = (field: number) => {
    const offset = buffer.__offset(position, 4 + 2 * field);
    return offset === 0 ? 0 : position + offset;
  };
  const vector = (field: number): { start: number; length: number } => {
    const offset = buffer.__offset(position, 4 + 2 * field);
    if (offset === 0) return { start: 0, length: 0 };
    return { start: buffer.__vector(position + offset), length: buffer.__vector_len(position + offset) };
  };
  return {
    scalar(field, kind, fallback) {
      const where = at(field);
      if (where === 0) return fallback;
      return kind === "int8" ? buffer.readInt8(where) : buffer.readInt32(where);
    },
    table(field) {
      const where = at(field);
      return where === 0 ? undefined : tableAt(buffer, buffer.__indirect(where));
    },
    tables(field) {
      const { start, length } = vector(field);
      return Array.from({ length }, (_, i) => tableAt(buffer, buffer.__indirect(start + 4 * i)));
    },
    integers(field) {
      const { start, length } = vector(field);
      return Array.from({ length }, (_, i) => buffer.readInt32(start + 4 * i));
    },
    bytes(field) {
      const { start, length } = vector(field);
      return start === 0 ? undefined : buffer.bytes().subarray(start, start + length);
    },
    text(field) {
      const { start, length } = vector(field);
      return Buffer.from(buffer.bytes().subarray(start, start + length)).toString("utf8");
    },
  };
}
