import { Builder } from "flatbuffers";
import { describe, expect, it } from "vitest";
import { onnxFromTflite } from "./onnx-from-tflite.ts";

/** A TensorFlow Lite model (schema version 3) of one operator on a float tensor of four elements. */
function modelWithOperator(builtinCode: number): Uint8Array {
  const builder = new Builder(256);
  const table = (
    fields: readonly (readonly [field: number, write: (field: number) => void])[],
    count: number,
  ): number => {
    builder.startObject(count);
    for (const [field, write] of fields) write(field);
    return builder.endObject();
  };
  const offset = (value: number) => (field: number) => builder.addFieldOffset(field, value, 0);
  const integers = (values: readonly number[]) => {
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addInt32(value);
    return builder.endVector();
  };
  const offsets = (values: readonly number[]) => {
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addOffset(value);
    return builder.endVector();
  };
  const tensor = (name: string) => {
    const text = builder.createString(name);
    const shape = integers([1, 4]);
    return table([[0, offset(shape)], [3, offset(text)]], 4); // biome-ignore format: shape and name
  };
  const code = table(
    [
      [0, (field) => builder.addFieldInt8(field, Math.min(builtinCode, 127), 0)],
      [3, (field) => builder.addFieldInt32(field, builtinCode, 0)],
    ],
    4,
  );
  const codes = offsets([code]);
  const inputs = integers([0]);
  const outputs = integers([1]);
  const operator = table([[1, offset(inputs)], [2, offset(outputs)]], 3); // biome-ignore format: its ends
  const operators = offsets([operator]);
  const tensors = offsets([tensor("in"), tensor("out")]);
  const ins = integers([0]);
  const outs = integers([1]);
  const subgraph = table([[0, offset(tensors)], [1, offset(ins)], [2, offset(outs)], [3, offset(operators)]], 4); // biome-ignore format: a subgraph
  const subgraphs = offsets([subgraph]);
  const buffers = offsets([table([], 1)]);
  const version = (field: number) => builder.addFieldInt32(field, 3, 0);
  const model = table([[0, version], [1, offset(codes)], [2, offset(subgraphs)], [4, offset(buffers)]], 5); // biome-ignore format: a model
  builder.finish(model, "TFL3");
  return builder.asUint8Array().slice();
}

describe("the converter", () => {
  it("converts an operator it knows", () => {
    const LOGISTIC = 14;
    expect(onnxFromTflite(modelWithOperator(LOGISTIC), "test").length).toBeGreaterThan(50);
  });

  it("refuses any other operator by name or number", () => {
    const SOFTMAX = 25;
    const WHILE = 119;
    for (const operator of [SOFTMAX, WHILE]) {
      expect(() => onnxFromTflite(modelWithOperator(operator), "test")).toThrow(
        expect.objectContaining({
          name: "UnsupportedModelError",
          message: expect.stringMatching(/operator|SOFTMAX|119/i),
        }),
      );
    }
  });

  it("refuses bytes that are no model", () => {
    expect(() => onnxFromTflite(Buffer.from("not a model at all, really"), "test")).toThrow(
      expect.objectContaining({ name: "UnsupportedModelError" }),
    );
  });
});
