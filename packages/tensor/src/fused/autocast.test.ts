import { describe, expect, it } from "vitest";
import {
  type Operation,
  operations,
  relativeError,
  type ValueAndGradients,
  valueAndGradients,
} from "../../test-fixtures/fused-operations.ts";
import { autocast, linear, loadTensorFlow, withoutFusedKernels } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";

await provisionKernels();
const tf = await loadTensorFlow();

describe("autocast", () => {
  it("ends with its function, also when that throws", () => {
    const probe = () => linear(tf, tf.tensor2d([[1.001]]), tf.tensor2d([[1.001]])).dataSync()[0]!;
    const exact = probe();
    expect(autocast("bfloat16", probe)).not.toBe(exact);
    expect(() =>
      autocast("bfloat16", () => {
        throw new Error("within");
      }),
    ).toThrow("within");
    expect(probe()).toBe(exact);
  });

  it.each(operations(tf).filter(({ name }) => /half|linear/.test(name)))(
    "rounds $name no more than products alone do",
    (each) => {
      const lowered = {
        ...each,
        f: (...inputs: Parameters<Operation["f"]>) => autocast("bfloat16", () => each.f(...inputs)),
      };
      const exact = valueAndGradients(tf, each);
      const fused = valueAndGradients(tf, lowered);
      const composed = withoutFusedKernels(() => valueAndGradients(tf, lowered));
      const list = ({ value, gradients }: ValueAndGradients) => [value, ...gradients];
      for (const [i, expected] of list(exact).entries()) {
        const error = relativeError(list(fused)[i]!, expected);
        expect(error).toBeLessThan(1.5 * relativeError(list(composed)[i]!, expected) + 2 ** -8);
      }
      expect(relativeError(fused.value, exact.value)).toBeGreaterThan(0);
    },
  );
});
