import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import {
  checkParameters,
  createExpressionConfig,
  createModelConfig,
  exportOnnx,
  initialiseParameters,
  parameterShapes,
  readSafetensors,
  writeSafetensors,
} from "./index.ts";

const config = createModelConfig("micro", { actionUnits: [1, 12], numSubjects: 5, dropPath: 0.1 });

describe("parameters", () => {
  // Encoder with fc_norm, without heads (1.1 of the behavioural specification).
  it.each([
    ["small", 21_665_664],
    ["base", 85_798_656],
    ["large", 303_301_632],
    ["huge", 630_764_800],
  ] as const)("of ViT-%s are those of the published encoder", (variant, expected) => {
    const shapes = parameterShapes(createModelConfig(variant, { actionUnits: [1], numSubjects: 41, dropPath: 0.1 }));
    let encoder = 0;
    for (const [name, shape] of shapes) {
      if (!name.startsWith("head.") && !name.startsWith("ID_head.")) encoder += shape.reduce((a, b) => a * b, 1);
    }
    expect(encoder).toBe(expected);
  });

  it("of a deeper identity head halve its width from layer to layer", () => {
    const shapesOf = (identityLayers: 1 | 2 | 3) =>
      [...parameterShapes({ ...config, identityLayers })].filter(([name]) => /^ID_head.*weight$/.test(name));
    expect(shapesOf(1)).toEqual([["ID_head.weight", [5, 96]]]);
    expect(shapesOf(2)).toEqual([["ID_head.0.weight", [48, 96]], ["ID_head.2.weight", [5, 48]]]); // biome-ignore format: two layers
    expect(shapesOf(3)).toEqual([
      ["ID_head.0.weight", [48, 96]],
      ["ID_head.2.weight", [24, 48]],
      ["ID_head.4.weight", [5, 24]],
    ]);
  });

  it("start with the same backbone with and without an identity head", () => {
    const adversarial = initialiseParameters(config, 7);
    const plain = initialiseParameters({ ...config, numSubjects: 0 }, 7);
    for (const [name, { data }] of plain) expect(adversarial.get(name)!.data, name).toEqual(data);
    expect(adversarial.size).toBe(plain.size + 2);
    expect(initialiseParameters(config, 8).get("cls_token")!.data).not.toEqual(adversarial.get("cls_token")!.data);
  });

  it("are refused by name when one is missing, too many or of another shape", () => {
    const parameters = initialiseParameters(config, 1);
    const { data } = parameters.get("head.bias")!;
    parameters.set("head.bias", { shape: [3], data });
    expect(() => checkParameters(config, parameters)).toThrow('Expected "head.bias" [2], got [3]');
    parameters.delete("head.bias");
    expect(() => checkParameters(config, parameters)).toThrow('Expected the parameter "head.bias", found none');
    parameters.set("head.bias", { shape: [2], data });
    parameters.set("norm.bias", { shape: [2], data });
    expect(() => checkParameters(config, parameters)).toThrow('Expected no parameter "norm.bias"');
  });
});

describe("safetensors", () => {
  it("read back what was written", () => {
    const parameters = initialiseParameters(config, 3);
    const { parameters: read, metadata } = readSafetensors(writeSafetensors(parameters, { config: "x" }));
    expect([...read]).toEqual([...parameters]);
    expect(metadata).toEqual({ config: "x" });
    // Part of a larger Buffer, at an odd place.
    const inside = Buffer.concat([Buffer.from("abc"), writeSafetensors(parameters)]).subarray(3);
    expect([...readSafetensors(inside).parameters]).toEqual([...parameters]);
  });

  it("read halves and doubles as 32-bit floats, and leave integers out", () => {
    const of = (dtype: string, value: ArrayBufferView) => {
      const bytes = writeHeader(`{"a":{"dtype":"${dtype}","shape":[${8 / width(dtype)}],"data_offsets":[0,8]}}`);
      bytes.set(new Uint8Array(value.buffer), bytes.length - 8);
      return readSafetensors(bytes).parameters.get("a")?.data;
    };
    const width = (dtype: string) => Number(dtype.replace(/\D/g, "")) / 8;
    expect(of("F16", Float16Array.of(1.5, -2, 0, 6e-8))).toEqual(Float32Array.of(1.5, -2, 0, Math.f16round(6e-8)));
    expect(of("BF16", Uint16Array.of(0x3fc0, 0xc000, 0, 0x7f80))).toEqual(
      Float32Array.of(1.5, -2, 0, Number.POSITIVE_INFINITY),
    );
    expect(of("F64", Float64Array.of(0.1))).toEqual(Float32Array.of(0.1));
    expect(of("I64", BigInt64Array.of(5n))).toBeUndefined();
  });

  it("refuse what is not one", () => {
    const reason = (bytes: Uint8Array) => {
      try {
        readSafetensors(bytes);
      } catch (error) {
        return (error as { reason?: string }).reason;
      }
      return undefined;
    };
    const whole = writeSafetensors(initialiseParameters(config, 3));
    for (const bytes of [
      new Uint8Array(3),
      new Uint8Array(100).fill(255),
      whole.slice(0, whole.length - 4),
      writeHeader('{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}'),
      writeHeader('{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'),
      writeHeader('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'), // four bytes are nobody's
      writeHeader(
        '{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      ),
      writeHeader('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}'),
      writeHeader("[]"),
    ]) {
      expect(reason(bytes)).toBe("INVALID_SAFETENSORS");
    }
  });
});

describe("the ONNX export", () => {
  it("runs, and a batch answers what its images answer alone", async () => {
    const session = await InferenceSession.create(exportOnnx(config, initialiseParameters(config, 5)));
    const pixels = 3 * 96 * 96;
    const images = Float32Array.from({ length: 2 * pixels }, (_, i) => Math.sin(i * 0.37) + (i % 7) / 7);
    const both = await session.run({ image: new Tensor("float32", images, [2, 3, 96, 96]) });
    expect(both.logits!.dims).toEqual([2, 2]);
    expect(both.features!.dims).toEqual([2, 96]);
    const second = await session.run({ image: new Tensor("float32", images.subarray(pixels), [1, 3, 96, 96]) });
    const together = (both.logits!.data as Float32Array).subarray(2);
    for (const [i, value] of (second.logits!.data as Float32Array).entries())
      expect(value).toBeCloseTo(together[i]!, 5);
    await session.release();
  });
});

function writeHeader(json: string): Uint8Array {
  const bytes = new Uint8Array(8 + json.length + 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(Buffer.from(json), 8);
  return bytes;
}

describe("an expression classifier", () => {
  const classifier = createExpressionConfig("micro", { expressions: ["happy", "sad", "calm"], dropPath: 0 });

  it("has the encoder of a detector, a head of its classes, and no identity head", () => {
    const detector = parameterShapes(createModelConfig("micro", { actionUnits: [1], numSubjects: 0, dropPath: 0 }));
    const shapes = parameterShapes(classifier);
    expect([...shapes.keys()]).toEqual([...detector.keys()]);
    expect(shapes.get("head.weight")).toEqual([3, 96]);
  });

  it("takes another grid, but only of whole patches", () => {
    const heads = { expressions: ["a", "b"], dropPath: 0 };
    expect(parameterShapes(createExpressionConfig("tiny", { ...heads, imageSize: 112 })).get("pos_embed")).toEqual([
      1, 50, 192,
    ]);
    expect(() => createExpressionConfig("tiny", { ...heads, imageSize: 100 })).toThrow("Expected whole patches");
  });
});
