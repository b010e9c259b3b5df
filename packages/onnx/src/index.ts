/** Writes ONNX models node by node and names their operators, on the protobuf messages of the ONNX project. */
export {
  type Attribute,
  type ConstantData,
  createGraphBuilder,
  type Dimension,
  type GraphBuilder,
  type GraphOptions,
} from "./graph-builder.ts";
export { operatorsOf } from "./operators-of.ts";
