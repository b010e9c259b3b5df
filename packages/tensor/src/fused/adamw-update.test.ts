import { describe, expect, it } from "vitest";
import { relativeError, values } from "../../test-fixtures/fused-operations.ts";
import { loadTensorFlow, withoutFusedKernels } from "../index.ts";
import { provisionKernels } from "../provision/index.ts";
import { adamwUpdate } from "./adamw-update.ts";

await provisionKernels();
const tf = await loadTensorFlow();

describe("adamwUpdate", () => {
  const shapes = [[3, 5], [1], [70_001], [2, 3, 4]] as const;
  const parameters = () => ({
    weights: shapes.map((shape, i) => values(tf, shape, i + 1)),
    firstMoments: shapes.map((shape, i) => values(tf, shape, i + 2, 0.1)),
    secondMoments: shapes.map((shape, i) => values(tf, shape, i + 3, 0.1).square()),
    gradients: shapes.map((shape, i) => values(tf, shape, i + 4)),
    groups: [0, 1, 1, 0],
    factors: tf.tensor2d([1e-3 / 0.271, 1 - 1e-3 * 0.05, 0.0547, 5e-4 / 0.271, 1, 0.0547], [2, 3]),
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  });

  it("is the composition's step, and a loop's in double precision", () => {
    const fused = adamwUpdate(tf, parameters());
    const composed = withoutFusedKernels(() => adamwUpdate(tf, parameters()));
    for (const kind of ["weights", "firstMoments", "secondMoments"] as const) {
      for (const [i, result] of fused[kind].entries()) {
        expect(result.shape).toEqual(shapes[i]);
        expect(relativeError(result.dataSync(), composed[kind][i]!.dataSync()), `${kind} ${i}`).toBeLessThan(3e-7);
      }
    }
    const { weights, firstMoments, secondMoments, gradients } = parameters();
    const [w, m, v, g] = [weights[0]!, firstMoments[0]!, secondMoments[0]!, gradients[0]!].map((x) => x.dataSync());
    for (let i = 0; i < 15; i++) {
      const first = 0.9 * m![i]! + 0.1 * g![i]!;
      const second = 0.999 * v![i]! + 0.001 * g![i]! ** 2;
      const expected = w![i]! * (1 - 5e-5) - ((1e-3 / 0.271) * first) / (Math.sqrt(second) / 0.0547 + 1e-8);
      expect(fused.weights[0]!.dataSync()[i]).toBeCloseTo(expected, 6);
    }
  });

  it("leaves what it is given as it was", () => {
    const given = parameters();
    const before = given.weights.map((each) => [...each.dataSync()]);
    const views = given.weights.map((each) => each.reshape([-1]));
    const tensors = tf.memory().numTensors;
    const { weights, firstMoments, secondMoments } = adamwUpdate(tf, given);
    expect(given.weights.map((each) => [...each.dataSync()])).toEqual(before);
    expect(views.map((each) => [...each.dataSync()])).toEqual(before);
    tf.dispose([...weights, ...firstMoments, ...secondMoments]);
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
