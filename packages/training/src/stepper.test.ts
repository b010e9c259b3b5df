import { createModelConfig, initialiseParameters, type ParameterSet } from "@duchenne/model";
import { createAuDetector } from "@duchenne/model/training";
import { loadTensorFlow, type TensorFlow } from "@duchenne/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { digestsOf } from "../test-fixtures/run-training.ts";
import { type AuBatch, createAuObjective } from "./objectives/au-objective.ts";
import { createStepper, type Stepper } from "./stepper.ts";

let tf: TensorFlow;
beforeAll(async () => {
  tf = await loadTensorFlow();
});

const BATCH = {
  images: Float32Array.from({ length: 4 * 3 * 96 * 96 }, (_, i) => Math.sin(0.37 * i)),
  occurrence: Int8Array.of(1, 0, -1, 1, -1, -1, 0, 1),
  subjects: Int32Array.of(0, 2, 1, 1),
};
const part = (from: number, to: number): AuBatch => ({
  images: BATCH.images.slice(from * 3 * 96 * 96, to * 3 * 96 * 96),
  occurrence: BATCH.occurrence.slice(2 * from, 2 * to),
  subjects: BATCH.subjects.slice(from, to),
});

interface Setting {
  readonly lambda?: number;
  readonly numSubjects?: number;
  readonly dropPath?: number;
  readonly decay?: { readonly layerDecay: number; readonly weightDecay: number };
  readonly optimization?: Partial<Parameters<typeof createStepper>[2]>;
}

/** Runs `use` on a small detector and its stepper. */
async function withStepper<R>(
  setting: Setting,
  use: (stepper: Stepper<AuBatch>, parameters: () => ParameterSet) => R | Promise<R>,
): Promise<R> {
  const { lambda = 1, numSubjects = 3, dropPath = 0, decay = { layerDecay: 1, weightDecay: 0 } } = setting;
  const config = createModelConfig("micro", { actionUnits: [1, 12], numSubjects, dropPath });
  const detector = createAuDetector(tf, config, initialiseParameters(config, 5));
  const objective = createAuObjective(tf, detector, { lambda, identityLoss: "bce", ...decay });
  const optimization = { beta2: 0.999, clipGradientNorm: 0, emaDecay: 0, ...setting.optimization };
  const stepper = createStepper(tf, objective, optimization);
  try {
    return await use(stepper, () => detector.parameters());
  } finally {
    stepper.dispose();
    detector.dispose();
  }
}

const STEP = { learningRate: 1e-3, seed: 1, measureGradients: false };

describe("the gradients at the backbone", () => {
  const norms = (setting: Setting) =>
    withStepper(setting, (stepper) => stepper.step([BATCH], { ...STEP, measureGradients: true }));

  it("are told apart: lambda scales the reversed identity loss's alone", async () => {
    const [one, three] = [await norms({ lambda: 1 }), await norms({ lambda: 3 })];
    expect(three.auGradientNorm!).toBeCloseTo(one.auGradientNorm!, 6);
    expect(three.identityGradientNorm! / one.identityGradientNorm!).toBeCloseTo(3, 3);
    expect(one.gradientRatio!).toBeCloseTo(one.identityGradientNorm! / one.auGradientNorm!, 5);
    expect(one.identityGradientNorm!).toBeGreaterThan(1e-4);
  });
  it("are the AU loss's alone without an identity head", async () => {
    const plain = await norms({ numSubjects: 0 });
    expect(plain.auGradientNorm!).toBeCloseTo((await norms({ lambda: 1 })).auGradientNorm!, 6);
    expect(plain).not.toHaveProperty("identityGradientNorm");
  });
  it("are those of the whole step when it accumulates", async () => {
    const whole = await norms({ lambda: 2 });
    const accumulated = await withStepper({ lambda: 2 }, (stepper) =>
      stepper.step([part(0, 3), part(3, 4)], { ...STEP, measureGradients: true }),
    );
    for (const name of ["auGradientNorm", "identityGradientNorm", "gradientRatio", "gradientNorm"]) {
      expect(accumulated[name]! / whole[name]!, name).toBeCloseTo(1, 4);
    }
  });
});

describe("accumulation", () => {
  const train = (batches: readonly AuBatch[], clipGradientNorm = 0) =>
    withStepper({ optimization: { clipGradientNorm } }, (stepper) => {
      const measured = stepper.step(batches, STEP);
      return { measured, firstMoments: stepper.state().optimizer.firstMoments };
    });

  it("equals one big batch, unknown labels included", async () => {
    const whole = await train([BATCH]);
    const cuts = [
      [part(0, 2), part(2, 4)],
      [part(0, 3), part(3, 4)],
      [part(0, 1), part(1, 2), part(2, 4)],
      // Of the third image nothing is known.
      [part(0, 1), part(1, 2), part(2, 3), part(3, 4)],
    ];
    for (const parts of cuts) {
      const accumulated = await train(parts);
      for (const [name, value] of Object.entries(whole.measured)) {
        expect(accumulated.measured[name], name).toBeCloseTo(value, 5);
      }
      // After the first step the first moments are a tenth of the gradient.
      for (const [name, moments] of whole.firstMoments) {
        const other = accumulated.firstMoments.get(name)!;
        const error = Math.hypot(...Array.from(moments, (value, i) => value - other[i]!));
        expect(error, name).toBeLessThan(1e-5 * Math.hypot(...moments) + 1e-9);
      }
    }
  });
  it("divides a masked loss by the number of labels that are known in the whole step", async () => {
    const lossOf = (...batches: AuBatch[]) =>
      withStepper({ numSubjects: 0 }, (stepper) => stepper.step(batches, { ...STEP, learningRate: 0 }).auLoss!);
    const known = [2, 1, 0, 2];
    const losses = await Promise.all(known.map((_, i) => lossOf(part(i, i + 1))));
    expect(losses[2]).toBe(0);
    const global = losses.reduce((sum, loss, i) => sum + known[i]! * loss, 0) / 5;
    const meanOfMeans = losses.reduce((sum, loss) => sum + loss, 0) / 4;
    expect(Math.abs(global - meanOfMeans)).toBeGreaterThan(0.05);
    expect(await lossOf(part(0, 1), part(1, 2), part(2, 3), part(3, 4))).toBeCloseTo(global, 6);
    expect(await lossOf(part(0, 3), part(3, 4))).toBeCloseTo(global, 6);
    expect(await lossOf(BATCH)).toBeCloseTo(global, 6);
  });
  it("is clipped by the norm of the sum", async () => {
    const gradientNorm = async (clip: number) => {
      const { firstMoments } = await train([part(0, 2), part(2, 4)], clip);
      return 10 * Math.hypot(...[...firstMoments.values()].map((moments) => Math.hypot(...moments)));
    };
    const free = await gradientNorm(0);
    expect(await gradientNorm(free * 2)).toBeCloseTo(free, 5);
    expect(await gradientNorm(free / 4)).toBeCloseTo(free / 4, 5);
    expect((await train([BATCH])).measured.gradientNorm).toBeCloseTo(free, 4);
  });
});

describe("a recorded step", () => {
  it("equals the eager one: losses, norms, moments and weights, accumulated or not", async () => {
    const train = (mode: "recorded" | "eager", batches: readonly AuBatch[]) =>
      withStepper(
        { dropPath: 0.3, optimization: { mode, clipGradientNorm: 0.5, emaDecay: 0.9 } },
        (stepper, parameters) => {
          const measured = [0, 1, 2].map((seed) =>
            stepper.step(batches, { ...STEP, seed, measureGradients: seed === 1 }),
          );
          return { measured, parameters: parameters(), ema: stepper.state().ema! };
        },
      );
    for (const batches of [[BATCH], [part(0, 2), part(2, 4)]]) {
      const [recorded, eager] = [await train("recorded", batches), await train("eager", batches)];
      for (const [i, values] of eager.measured.entries()) {
        expect(Object.keys(recorded.measured[i]!).sort()).toEqual(Object.keys(values).sort());
        for (const [name, value] of Object.entries(values)) {
          expect(Math.abs(recorded.measured[i]![name]! - value), name).toBeLessThan(2e-5 * (1 + Math.abs(value)));
        }
      }
      // TensorFlow fuses and reorders within the rounding of 32 bits; Adam divides by it where gradients are all but 0.
      for (const [actual, expected] of [
        [recorded.parameters, eager.parameters],
        [recorded.ema, eager.ema],
      ] as const) {
        for (const [name, { data }] of expected) {
          const error = Math.hypot(...data.map((value, i) => value - actual.get(name)!.data[i]!));
          expect(error / Math.hypot(...data, 1e-3), name).toBeLessThan(2e-3);
        }
      }
    }
  });
});

describe("steps in bfloat16", () => {
  const train = (precision: "float32" | "bfloat16", learningRate: number, steps: number) =>
    withStepper({ optimization: { precision } }, (stepper, parameters) => {
      const before = parameters();
      const measured = Array.from({ length: steps }, (_, seed) =>
        stepper.step([BATCH], { ...STEP, learningRate, seed }),
      );
      return { before, after: parameters(), measured, firstMoments: stepper.state().optimizer.firstMoments };
    });
  /** A number is rounded by at most this share of it. */
  const ROUNDING = 2 ** -9;

  it("follow those in float32", async () => {
    const [exact, rounded] = [await train("float32", 1e-3, 12), await train("bfloat16", 1e-3, 12)];
    for (const [i, { auLoss, identityLoss }] of exact.measured.entries()) {
      expect(Math.abs(rounded.measured[i]!.auLoss! / auLoss! - 1)).toBeLessThan(2 * ROUNDING);
      expect(Math.abs(rounded.measured[i]!.identityLoss! / identityLoss! - 1)).toBeLessThan(2 * ROUNDING);
    }
    expect(rounded.measured).not.toEqual(exact.measured);
  });
  it("have gradients as far off as the roundings of all their products, added like errors that know nothing of each other", async () => {
    const [exact, rounded] = [await train("float32", 1e-3, 1), await train("bfloat16", 1e-3, 1)];
    const all = ({ firstMoments }: typeof exact) => [...firstMoments.values()].flatMap((moments) => [...moments]);
    const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    const [expected, actual] = [all(exact), all(rounded)];
    const error = norm(expected.map((value, i) => value - actual[i]!)) / norm(expected);
    // Input, weight and product of 4 linear layers in each of 4 blocks, there and back.
    const roundings = 3 * 4 * 4 * 2;
    expect(error).toBeLessThan(Math.sqrt(roundings) * ROUNDING);
    expect(error).toBeGreaterThan(ROUNDING / 10);
  });
  it("leave the weights in float32: an update that bfloat16 could not hold is not lost", async () => {
    const { before, after } = await train("bfloat16", 1e-6, 1);
    let [weights, moved, finer] = [0, 0, 0];
    for (const [name, { data }] of after) {
      const bits = new Uint32Array(Float32Array.from(data).buffer);
      const was = before.get(name)!.data;
      weights += data.length;
      moved += data.filter((value, i) => value !== was[i] && Math.abs(value - was[i]!) < 1.1e-6).length;
      finer += bits.filter((each) => (each & 0xffff) !== 0).length;
    }
    expect(moved / weights).toBeGreaterThan(0.99);
    expect(finer / weights).toBeGreaterThan(0.99);
  });
});

describe("lambda = 0", () => {
  it("leaves the backbone as if there were no identity head, bit for bit", async () => {
    const train = (numSubjects: number) =>
      withStepper(
        { lambda: 0, numSubjects, dropPath: 0.1, decay: { layerDecay: 0.65, weightDecay: 0.05 } },
        (stepper, parameters) => {
          for (let seed = 0; seed < 3; seed++) stepper.step([BATCH], { ...STEP, seed });
          return digestsOf(parameters());
        },
      );
    const [plain, adversarial] = [await train(0), await train(3)];
    expect(adversarial).toMatchObject(plain);
    expect(adversarial).toHaveProperty(["ID_head.weight"]);
  });
});

describe("the moving average", () => {
  it("is d a + (1 - d) w after each step, and stands in for the weights while they are asked for", async () => {
    const decay = 0.75;
    await withStepper({ optimization: { emaDecay: decay } }, async (stepper, parameters) => {
      const bias = () => Array.from(parameters().get("head.bias")!.data);
      let expected = bias();
      for (let seed = 0; seed < 3; seed++) {
        stepper.step([BATCH], { ...STEP, seed });
        expected = bias().map((weight, i) => decay * expected[i]! + (1 - decay) * weight);
      }
      const own = bias();
      const averaged = await stepper.withAverage(async () => bias());
      for (const [i, value] of averaged.entries()) expect(value).toBeCloseTo(expected[i]!, 7);
      expect(averaged).not.toEqual(own);
      expect(bias()).toEqual(own);
    });
  });
});
