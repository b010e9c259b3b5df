import { readFile } from "node:fs/promises";
import {
  expressionConfigSchema,
  maeConfigSchema,
  modelConfigSchema,
  type Parameter,
  readSafetensors,
} from "@duchenne/model";
import { createAuDetector, createMae, createVit, maskFromNoise } from "@duchenne/model/training";
import { loadTensorFlow, type TensorFlow } from "@duchenne/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { createAuObjective } from "./objectives/au-objective.ts";
import { createDistillationObjective } from "./objectives/distillation-objective.ts";
import { createExpressionObjective } from "./objectives/expression-objective.ts";
import { createIdentityObjective, type FeatureSource } from "./objectives/identity-objective.ts";
import { createMaeObjective } from "./objectives/mae-objective.ts";
import type { Objective } from "./objectives/objective.ts";
import { learningRateAt } from "./schedule.ts";
import { createStepper } from "./stepper.ts";

// Tolerances: the end of section 1.19 of the behavioural specification.
const OUTPUT = 2e-5;
const TRAINED = 2e-6;

const STEPS = 20;
const SCHEDULE = { peakLearningRate: 1e-3, minLearningRate: 1e-6, warmupEpochs: 1, epochs: 4 };
const DECAY = { layerDecay: 0.65, weightDecay: 0.05 };
const encoder = { variant: "custom", imageSize: 16, patchSize: 8, dim: 12, depth: 2, heads: 3 };
const head = { kind: "vit", actionUnits: [1, 4, 12], dropPath: 0 };
const detectorConfig = modelConfigSchema.parse({ ...encoder, ...head, numSubjects: 5 });
const plainConfig = modelConfigSchema.parse({ ...encoder, ...head, numSubjects: 0 });

let tf: TensorFlow;
let fixture: ReadonlyMap<string, Parameter>;
beforeAll(async () => {
  tf = await loadTensorFlow();
  const path = new URL("../../../test/reference/fixtures/recipes.safetensors", import.meta.url);
  fixture = readSafetensors(await readFile(path)).parameters;
});

const value = (name: string) => fixture.get(name)!.data;
function withPrefix(prefix: string): Map<string, Parameter> {
  const entries = [...fixture].filter(([name]) => name.startsWith(prefix));
  return new Map(entries.map(([name, each]) => [name.slice(prefix.length), each]));
}
/** One of the three batches that are seen in turn. */
const part = (name: string, step: number) => {
  const all = value(name);
  const size = all.length / 3;
  return all.slice((step % 3) * size, ((step % 3) + 1) * size);
};
const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (each, i) => Math.abs(each - b[i]!)));

/** Takes the steps of a recipe and compares losses and weights with PyTorch's. */
function expectSameTraining<B>(
  recipe: string,
  objective: Objective<B>,
  batchAt: (step: number) => B,
  { beta2 = 0.999, emaDecay = 0 } = {},
): void {
  objective.load(withPrefix(`${recipe}.parameter.`));
  const stepper = createStepper(tf, objective, { beta2, emaDecay, clipGradientNorm: 0 });
  const losses = Array.from({ length: STEPS }, (_, step) => {
    const learningRate = learningRateAt(step / 5, SCHEDULE);
    const measured = stepper.step([batchAt(step)], { learningRate, seed: step, measureGradients: false });
    return measured.loss ?? (measured.auLoss ?? 0) + (measured.identityLoss ?? 0);
  });
  expect(largest(losses, value(`${recipe}.losses`)), "losses").toBeLessThan(OUTPUT);
  const compare = (actual: ReadonlyMap<string, Parameter>, expected: ReadonlyMap<string, Parameter>) => {
    for (const [name, { data }] of expected) {
      // Softmax cannot see the key's bias: its gradient is rounding noise, which Adam blows up.
      const width = data.length / 3;
      const isSeen = (i: number) => !name.endsWith("qkv.bias") || i < width || i >= 2 * width;
      const own = actual.get(name)!.data;
      const error = Math.max(...Array.from(own, (each, i) => (isSeen(i) ? Math.abs(each - data[i]!) : 0)));
      expect(error, name).toBeLessThan(TRAINED);
    }
  };
  compare(objective.parameters(), withPrefix(`${recipe}.trained.`));
  if (emaDecay > 0) compare(stepper.state().ema!, withPrefix(`${recipe}.average.`));
  stepper.dispose();
}

const auBatch = (step: number) => ({
  images: part("images", step),
  occurrence: Int8Array.from(part("occurrence", step)),
  subjects: Int32Array.from(part("subjects", step)),
});

describe("20 steps equal PyTorch's", () => {
  it("of an identity adversarial fine-tune, its moving average included", () => {
    const detector = createAuDetector(tf, detectorConfig, withPrefix("fineTune.parameter."));
    const objective = createAuObjective(tf, detector, { lambda: 2, identityLoss: "bce", ...DECAY });
    expectSameTraining("fineTune", objective, auBatch, { emaDecay: 0.9 });
    detector.dispose();
  });

  it("of an expression fine-tune", () => {
    const expressions = ["a", "b", "c", "d", "e", "f", "g"];
    const config = expressionConfigSchema.parse({ ...encoder, kind: "vit-expression", expressions, dropPath: 0 });
    const classifier = createVit(tf, config, withPrefix("expression.parameter."));
    expectSameTraining("expression", createExpressionObjective(tf, classifier, DECAY), (step) => ({
      images: part("images", step),
      expressions: Int32Array.from(part("expressions", step)),
    }));
    classifier.dispose();
  });

  it("of an identity probe", () => {
    const source: FeatureSource = {
      inputs: (values) => ({ features: tf.tensor2d(values, [4, 12]) }),
      features: ({ features }) => features!,
    };
    const shape = { dim: 12, subjects: 5, layers: 1 };
    const objective = createIdentityObjective(tf, source, shape, { seed: 0, weightDecay: 0.05 });
    expectSameTraining(
      "probe",
      {
        ...objective,
        losses: (inputs, seed) => {
          const { loss } = objective.losses(inputs, seed);
          return { loss, measured: { loss } };
        },
      },
      (step) => ({ values: part("probe.features", step), subjects: Int32Array.from(part("subjects", step)) }),
    );
    objective.dispose();
  });

  it("of a distillation from answers, features and labels", () => {
    const student = createAuDetector(
      tf,
      plainConfig,
      new Map([...withPrefix("distil.parameter.")].filter(([name]) => !name.startsWith("distillation."))),
    );
    const teacher = createVit(tf, modelConfigSchema.parse({ ...plainConfig, dim: 18 }), withPrefix("teacher."));
    const weights = { temperature: 2, logitsWeight: 1, featuresWeight: 0.5, labelsWeight: 0.25 };
    const objective = createDistillationObjective(tf, { student, teacher }, { ...weights, ...DECAY, seed: 0 });
    expectSameTraining("distil", objective, auBatch);
    objective.dispose();
    teacher.dispose();
    student.dispose();
  });

  it("of a pretraining", () => {
    const shape = { variant: "custom", imageSize: 24, patchSize: 8, dim: 16, depth: 2, heads: 2 };
    const decoder = { kind: "mae", decoderDim: 12, decoderDepth: 2, decoderHeads: 3 };
    const config = maeConfigSchema.parse({ ...shape, ...decoder });
    const mae = createMae(tf, config, withPrefix("pretrain.parameter."));
    const objective = createMaeObjective(tf, mae, config, { normPixLoss: true, weightDecay: 0.05 });
    const batchAt = (step: number) => ({
      images: part("mae.images", step),
      mask: maskFromNoise(part("mae.noise", step), 9, 0.75),
    });
    expectSameTraining("pretrain", objective, batchAt, { beta2: 0.95 });
    mae.dispose();
  });
});

describe("the fixture's weights are large enough that a mistake shows", () => {
  it.each(["epsilon", "tanhGelu", "classTokenInMean"])("%s", (mistake) => {
    const detector = createAuDetector(tf, plainConfig, withPrefix("detector.parameter."));
    const logits = tf.tidy(() => {
      const images = tf.tensor4d(part("images", 0), [4, 3, 16, 16]);
      return detector.forward(images, { training: false, lambda: 0, seed: 0 }).auLogits.dataSync();
    });
    expect(largest(logits, value("detector.logits"))).toBeLessThan(OUTPUT);
    expect(largest(logits, value(`mistake.${mistake}.logits`))).toBeGreaterThan(2 * OUTPUT);
    detector.dispose();
  });
});
