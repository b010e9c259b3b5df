import { createModelConfig, initialiseParameters } from "@duchenne/model";
import { loadTensorFlow } from "@duchenne/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { drawFaces } from "../../test-fixtures/drawn-faces.ts";
import { digestsOf, metricsOf, runTraining } from "../../test-fixtures/run-training.ts";
import { distil, type TrainingEvent } from "../index.ts";
import { type DistilRecipe, type Partially, planDistil } from "../recipes/index.ts";

const [tf, faces] = [await loadTensorFlow(), await drawFaces()];
afterAll(() => faces.remove());

const shape = { actionUnits: [12, 1, 6], numSubjects: 0, dropPath: 0 };
const teacherConfig = createModelConfig("micro", shape);
const teacher = { config: teacherConfig, parameters: initialiseParameters(teacherConfig, 11) };

function run(
  value: Partially<DistilRecipe>,
  { stopAt, checkpoint }: { stopAt?: (event: TrainingEvent) => boolean; checkpoint?: Uint8Array } = {},
) {
  const { dataset } = faces;
  const plan = planDistil({ encoder: { variant: "micro" }, ...value }, dataset, teacherConfig);
  return runTraining((signal) => distil({ tf, dataset, plan, teacher, signal, checkpoint }), stopAt);
}

const optimization = { epochs: 6, warmupEpochs: 1, batchSize: 8, baseLearningRate: 0.02 };

describe("a distillation", () => {
  it("brings the student's answers and features to the teacher's", async () => {
    const student = await run({ optimization });
    const means = (name: string) => metricsOf(student).flatMap((values) => values[`epoch/${name}`] ?? []);
    expect(means("featureLoss").at(-1)!).toBeLessThan(0.7 * means("featureLoss")[0]!);
    expect(means("answerLoss").at(-1)!).toBeLessThan(means("answerLoss")[0]!);
    expect(student.result!.config.actionUnits).toEqual([12, 1, 6]);
    expect([...student.result!.parameters.keys()].some((name) => name.startsWith("distillation."))).toBe(false);
  });

  it("resumed from a checkpoint equals one that never stopped, the projection included", async () => {
    const short = { optimization: { ...optimization, epochs: 2 }, labelsWeight: 0.5 };
    const straight = await run(short);
    const first = await run(short, { stopAt: (event) => event.kind === "checkpoint" && event.step === 4 });
    const second = await run(short, { checkpoint: first.checkpoint! });
    expect(digestsOf(second.result!.parameters)).toEqual(digestsOf(straight.result!.parameters));
    expect([...metricsOf(first), ...metricsOf(second)]).toEqual(metricsOf(straight));
  });

  it("needs something to learn from, images of one size and labels to validate on", () => {
    const { dataset } = faces;
    const plan = (value: Partially<DistilRecipe>, units = [12]) =>
      planDistil(
        { encoder: { variant: "micro" }, optimization, ...value },
        dataset,
        createModelConfig("micro", { ...shape, actionUnits: units }),
      );
    expect(() => plan({ logitsWeight: 0, featuresWeight: 0 })).toThrow("at least one weight above 0");
    expect(() => plan({ encoder: { variant: "micro", imageSize: 64 } })).toThrow("Expected the teacher's 96");
    expect(() => plan({}, [11])).toThrow("Expected labels of some of the teacher's AU 11");
  });
});
