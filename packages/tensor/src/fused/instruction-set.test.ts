import { describe, expect, it } from "vitest";
import {
  expectation,
  operations,
  relativeError,
  valueAndGradients,
  values,
} from "../../test-fixtures/fused-operations.ts";
import { instructionSetsOf } from "../../test-fixtures/processor-sets.ts";
import { autocast, loadTensorFlow, withoutFusedKernels } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";
import { adamwUpdate } from "./adamw-update.ts";
import { INSTRUCTION_SETS, instructionSets, withInstructionSet } from "./instruction-set.ts";

await provisionKernels();
const tf = await loadTensorFlow();
const { available, chosen } = instructionSets(tf);

it("every instruction set of the processor is found, and the widest chosen", () => {
  expect(available).toEqual(instructionSetsOf());
  expect(chosen).toBe(available.at(-1));
});

describe.each(available)("the kernels for %s", (set) => {
  it("are chosen, and the others again after", () => {
    expect(withInstructionSet(tf, set, () => instructionSets(tf).chosen)).toBe(set);
    expect(() => withInstructionSet(tf, set, () => { throw new Error("within"); })).toThrow("within"); // biome-ignore format: one line
    expect(instructionSets(tf).chosen).toBe(chosen);
  });

  it.each(operations(tf))("agree with the composition, value and gradients: $name", (operation) => {
    const fused = withInstructionSet(tf, set, () => valueAndGradients(tf, operation));
    const { composed, valueLimit, gradientLimits } = expectation(tf, operation);
    expect(relativeError(fused.value, composed.value)).toBeLessThan(valueLimit);
    for (const [i, gradient] of fused.gradients.entries()) {
      expect(relativeError(gradient, composed.gradients[i]!), `gradient ${i}`).toBeLessThan(gradientLimits[i]!);
    }
  });

  it.each(operations(tf).filter(({ name }) => name.includes("half")))(
    "agree with it in bfloat16: $name",
    (operation) => {
      const lowered = () => autocast("bfloat16", () => valueAndGradients(tf, operation));
      const fused = withInstructionSet(tf, set, lowered);
      const composed = withoutFusedKernels(lowered);
      const exact = valueAndGradients(tf, operation);
      for (const [i, expected] of [exact.value, ...exact.gradients].entries()) {
        const error = relativeError([fused.value, ...fused.gradients][i]!, expected);
        const rounding = relativeError([composed.value, ...composed.gradients][i]!, expected);
        expect(error, `value or gradient ${i}`).toBeLessThan(1.5 * rounding + 2 ** -8);
      }
    },
  );

  it("take the composition's step of AdamW", () => {
    const step = () => {
      const { weights, firstMoments, secondMoments } = adamwUpdate(tf, {
        weights: [values(tf, [1009], 1), values(tf, [3], 2)],
        firstMoments: [values(tf, [1009], 3, 0.1), values(tf, [3], 4, 0.1)],
        secondMoments: [values(tf, [1009], 5, 0.1).square(), values(tf, [3], 6, 0.1).square()],
        gradients: [values(tf, [1009], 7), values(tf, [3], 8)],
        groups: [1, 0],
        factors: tf.tensor2d([[1e-3, 1, 0.05], [2e-3, 0.99, 0.05]]), // biome-ignore format: a matrix
        ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      });
      return [...weights, ...firstMoments, ...secondMoments].map((each) => each.dataSync());
    };
    const composed = withoutFusedKernels(step);
    for (const [i, result] of withInstructionSet(tf, set, step).entries()) {
      expect(relativeError(result, composed[i]!)).toBeLessThan(3e-7);
    }
  });
});

const lacking = INSTRUCTION_SETS.filter((set) => !available.includes(set));
if (lacking.length > 0) {
  describe.each(lacking)("the kernels for %s, which this processor lacks and which were NOT RUN", (set) => {
    it("cannot be chosen", () => {
      expect(() => withInstructionSet(tf, set, () => 0)).toThrow(
        `Expected an instruction set of this processor, got ${set}`,
      );
      expect(instructionSets(tf).chosen).toBe(chosen);
    });
  });
}
