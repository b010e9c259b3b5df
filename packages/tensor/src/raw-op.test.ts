import type { Tensor } from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { elementType, loadKernelLibrary, loadTensorFlow, memoryStatistics, rawOp, type TensorFlow, withCustomGradient } from "./index.ts"; // biome-ignore format: one import

let tf: TensorFlow;
beforeAll(async () => {
  tf = await loadTensorFlow();
});

describe("a raw operation", () => {
  it("takes attributes of the kind that its definition names", () => {
    const x = tf.tensor([[1, 2, 3], [4, 5, 6]]); // biome-ignore format: a matrix
    const [values, indices] = rawOp(tf, "TopKV2", [x, tf.scalar(2, "int32")], { sorted: true }, 2);
    expect(values!.arraySync()).toEqual([[3, 2], [6, 5]]); // biome-ignore format: a matrix
    expect(indices!.dtype).toBe("int32");
    expect([...rawOp(tf, "LeakyRelu", [tf.tensor([-4, 2])], { alpha: 1 / 4 })[0].dataSync()]).toEqual([-1, 2]);
    expect(rawOp(tf, "Squeeze", [tf.ones([1, 3, 1])], { squeeze_dims: [0] })[0].shape).toEqual([3, 1]);
    expect(rawOp(tf, "ConcatV2", [x, x, tf.scalar(1, "int32")])[0].shape).toEqual([2, 6]);
  });

  it("refuses what does not fit, by the operation's name", () => {
    const x = tf.ones([2, 2]);
    const refused = (name: string, inputs: Tensor[], attributes = {}) => {
      try {
        rawOp(tf, name, inputs, attributes);
        return "accepted";
      } catch (error) {
        return `${(error as { code: string }).code}: ${(error as Error).message}`;
      }
    };
    expect(refused("Nothing", [])).toBe('not_found: TensorFlow has no operation "Nothing"');
    expect(refused("MatMul", [x])).toBe("invalid_argument: MatMul: expected 2 inputs, got 1");
    expect(refused("Cast", [x], { to: 1 })).toBe('invalid_argument: Cast has no attribute "to"');
    expect(refused("Cast", [x], { DstT: "float7" })).toBe('invalid_argument: There is no element type "float7"');
    expect(refused("Cast", [x], { Truncate: "yes" })).toContain(
      'Expected Cast\'s attribute "Truncate" to be true or false',
    );
    expect(refused("MatMul", [x, tf.ones([3, 2])])).toContain("In[0]: [2,2], In[1]: [3,2]");
  });

  it("refuses another number of outputs than it has, and keeps none of them", () => {
    const x = tf.tensor([3, 1, 2]);
    const k = tf.scalar(2, "int32");
    expect(rawOp(tf, "TopKV2", [x, k], {}, 2).map((each) => [...each.dataSync()])).toEqual([[3, 2], [0, 2]]); // biome-ignore format: one line
    const before = tf.memory().numTensors;
    expect(() => rawOp(tf, "TopKV2", [x, k], {}, 3)).toThrow("TopKV2: expected 3 outputs, got 2");
    expect(() => rawOp(tf, "TopKV2", [x, k])).toThrow("TopKV2");
    expect(tf.memory().numTensors).toBe(before);
  });

  it("has no gradient but the one that it is given", () => {
    const x = tf.tensor([3]);
    const square = (each: Tensor) => rawOp(tf, "Square", [each])[0];
    expect(() => tf.grad((each: Tensor) => square(each).sum())(x)).toThrow("Square has no gradient");
    const withGradient = (each: Tensor) =>
      withCustomGradient<[Tensor]>(
        tf,
        {
          forward([input], save) {
            save([input]);
            return square(input);
          },
          backward: (dy, [input]) => dy.mul(input!).mul(2),
        },
        each,
      ).sum();
    expect([...tf.grad(withGradient)(x).dataSync()]).toEqual([6]);
  });
});

describe("bfloat16", () => {
  it("goes through tf.js's kernels, and is widened when it is read", () => {
    const x = tf.tensor([[1, 2], [3, 4.01]]); // biome-ignore format: a matrix
    const [half] = rawOp(tf, "Cast", [x], { DstT: "bfloat16" });
    expect(elementType(tf, half!)).toBe("bfloat16");
    expect(half!.dtype).toBe("float32");
    // 8 bits of fraction: 4.01 becomes 4.
    expect([...half!.dataSync()]).toEqual([1, 2, 3, 4]);
    const product = tf.matMul(half!, half!);
    expect(elementType(tf, product)).toBe("bfloat16");
    expect([...product.dataSync()]).toEqual([7, 10, 15, 22]);
    expect([...rawOp(tf, "Cast", [product], { DstT: "float32" })[0].dataSync()]).toEqual([7, 10, 15, 22]);
    expect(() => half!.add(x)).toThrow("expected to be a bfloat16 tensor");
  });
  it("and float16 keep their values", () => {
    const values = [0, -0, 1, -2.5, 65504, 2 ** -14, 2 ** -24, Number.POSITIVE_INFINITY, Number.NaN];
    const [half] = rawOp(tf, "Cast", [tf.tensor(values)], { DstT: "float16" });
    expect([...half!.dataSync()]).toEqual(values);
  });
});

describe("gathering", () => {
  it("refuses indices out of range", () => {
    const x = tf.tensor([1, 2, 3]);
    expect([...tf.gather(x, tf.tensor1d([2, 0], "int32")).dataSync()]).toEqual([3, 1]);
    expect(() => tf.gather(x, tf.tensor1d([3], "int32"))).toThrow("is not in [0, 3)");
  });
});

describe("the engine", () => {
  it("counts what is alive", () => {
    const before = memoryStatistics(tf);
    const x = tf.ones([10, 10]).add(1);
    expect(memoryStatistics(tf).bytes - before.bytes).toBeGreaterThanOrEqual(400);
    x.dispose();
    // tf.ones was handed over, and lives on.
    expect(memoryStatistics(tf).tensors - before.tensors).toBeLessThanOrEqual(2);
  });
  it("says when memory does not suffice, and works on", () => {
    const enormous = tf.tensor1d([2 ** 30, 2 ** 20], "int32");
    expect(() => rawOp(tf, "Fill", [enormous, tf.scalar(1)])).toThrow(
      expect.objectContaining({
        code: "resource_exhausted",
        reason: "OUT_OF_MEMORY",
        message: expect.stringContaining("OOM when allocating tensor with shape[1073741824,1048576]"),
      }),
    );
    expect([...tf.add(1, 1).dataSync()]).toEqual([2]);
  });
  it("refuses a library that is none", () => {
    expect(() => loadKernelLibrary(tf, "/nowhere/kernels.so")).toThrow("Loading /nowhere/kernels.so");
  });
});
