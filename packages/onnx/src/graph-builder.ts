import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../gen/onnx/onnx_pb.ts";

/** A dimension: a size, or the name of one that is free. */
export type Dimension = number | string;

/** An attribute of a node: integers are written as INT(S), `{ float }` as FLOAT, text as STRING. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

/** Constant data of a graph. */
export type ConstantData = Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

/** Builds an ONNX model node by node. Values are named by strings; every method answers the name of what it made. */
export interface GraphBuilder {
  /** Declares a float input. */
  input(name: string, shape: readonly Dimension[]): string;
  /** Declares a float output; the value of that name must have been made. */
  output(name: string, shape: readonly Dimension[]): void;
  /** Adds constant data. */
  constant(name: string, shape: readonly number[], data: ConstantData): string;
  /** Adds a vector of int64, as shapes and axes are given. */
  integers(values: readonly number[]): string;
  /** Adds a float scalar. */
  scalar(value: number): string;
  /** Adds a node with one output; `name` names it, else a fresh name is made. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    name?: string,
  ): string;
  /** The model's bytes. */
  build(): Uint8Array<ArrayBuffer>;
}

/** What an ONNX model says of itself. */
export interface GraphOptions {
  readonly name: string;
  /** Version of the default operator set. */
  readonly opset: number;
  readonly documentation?: string;
}

/** Starts an empty graph. */
export function createGraphBuilder({ name, opset, documentation = "" }: GraphOptions): GraphBuilder {
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const initializer: TensorProto[] = [];
  const nodes: NodeProto[] = [];
  const known = new Set<string>();
  let fresh = 0;

  function define(value: string): string {
    if (known.has(value)) throw new Error(`Expected a new name, got "${value}" twice`);
    known.add(value);
    return value;
  }

  const builder: GraphBuilder = {
    input(value, shape) {
      inputs.push(floatValue(value, shape));
      return define(value);
    },
    output(value, shape) {
      if (!known.has(value)) throw new Error(`Expected an output that was made, got "${value}"`);
      outputs.push(floatValue(value, shape));
    },
    constant(value, shape, data) {
      const count = shape.reduce((product, size) => product * size, 1);
      if (count !== data.length) {
        throw new Error(`Expected ${count} elements for "${value}" [${shape.join(", ")}], got ${data.length}`);
      }
      initializer.push(
        create(TensorProtoSchema, {
          name: define(value),
          dims: shape.map(BigInt),
          dataType: dataTypeOf(data),
          rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        }),
      );
      return value;
    },
    integers(values) {
      return builder.constant(`integers_${fresh++}`, [values.length], BigInt64Array.from(values, BigInt));
    },
    scalar(value) {
      return builder.constant(`scalar_${fresh++}`, [], Float32Array.of(value));
    },
    node(opType, nodeInputs, attributes = {}, value = `${opType}_${fresh++}`) {
      for (const each of nodeInputs) {
        if (each !== "" && !known.has(each)) throw new Error(`${opType} reads "${each}", which was not made`);
      }
      nodes.push(
        create(NodeProtoSchema, {
          name: value,
          opType,
          input: [...nodeInputs],
          output: [define(value)],
          attribute: Object.entries(attributes).map(([key, each]) => attributeFrom(key, each)),
        }),
      );
      return value;
    },
    build: () =>
      toBinary(
        ModelProtoSchema,
        create(ModelProtoSchema, {
          irVersion: 8n,
          producerName: "duchenne",
          docString: documentation,
          opsetImport: [{ domain: "", version: BigInt(opset) }],
          graph: { name, node: nodes, initializer, input: inputs, output: outputs },
        }),
      ),
  };
  return builder;
}

function dataTypeOf(data: ConstantData): DataType {
  if (data instanceof Float32Array) return DataType.FLOAT;
  if (data instanceof Int8Array) return DataType.INT8;
  if (data instanceof Uint8Array) return DataType.UINT8;
  return data instanceof Int32Array ? DataType.INT32 : DataType.INT64;
}

function floatValue(name: string, shape: readonly Dimension[]): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: DataType.FLOAT,
          shape: {
            dim: shape.map((size) => ({
              value:
                typeof size === "number"
                  ? { case: "dimValue" as const, value: BigInt(size) }
                  : { case: "dimParam" as const, value: size },
            })),
          },
        },
      },
    },
  });
}

function attributeFrom(name: string, value: Attribute): AttributeProto {
  if (typeof value === "number") {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if (typeof value === "string") {
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) });
  }
  if ("float" in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}
