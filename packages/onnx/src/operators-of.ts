import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "../gen/onnx/onnx_pb.ts";

/**
 * The operators of a model's nodes, in the order of the graph: of one that a runtime has optimised, what it fused.
 *
 * @throws {Error} when the bytes are no model
 */
export function operatorsOf(model: Uint8Array): string[] {
  return (fromBinary(ModelProtoSchema, model).graph?.node ?? []).map(({ opType }) => opType);
}
