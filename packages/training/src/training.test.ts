import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Dataset, openDataset, synthesizeDataset } from "@duchenne/data";
import { createModelConfig, initialiseParameters, type ParameterSet, readSafetensors } from "@duchenne/model";
import { createAuDetector, parameterGroups } from "@duchenne/model/training";
import { createAdamW, loadTensorFlow, type TensorFlow } from "@duchenne/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { type FineTuneResult, fineTune, linearProbe, type TrainingEvent } from "./index.ts";
import { type FineTuneRecipe, planFineTune, planLinearProbe } from "./recipes/index.ts";
import { learningRateAt } from "./schedule.ts";
import { trainStep } from "./train-step.ts";

let folder: string;
let dataset: Dataset;
let tf: TensorFlow;

beforeAll(async () => {
  tf = await loadTensorFlow();
  folder = await mkdtemp(join(tmpdir(), "duchenne-training-"));
  const directory = join(folder, "faces");
  await synthesizeDataset(directory, {
    seed: 3,
    subjects: 4,
    framesPerSubject: 16,
    imageSize: 96,
    identityShortcut: 0.5,
  });
  dataset = await openDataset(directory);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const recipe: Partial<FineTuneRecipe> = { epochs: 2, warmupEpochs: 1, batchSize: 8, lambda: 1, baseLearningRate: 0.02 };

/** Runs a fine-tune to its end, or until it was stopped in the given step; keeps its events. */
async function run(
  changes: Partial<FineTuneRecipe> = {},
  { stopAfter, checkpoint }: { stopAfter?: number; checkpoint?: Uint8Array } = {},
): Promise<{ events: TrainingEvent[]; result?: FineTuneResult; checkpoint?: Uint8Array; stopped?: unknown }> {
  const stop = new AbortController();
  const plan = planFineTune({ ...recipe, ...changes }, dataset);
  const training = fineTune({ tf, dataset, plan, signal: stop.signal, checkpoint });
  const events: TrainingEvent[] = [];
  let last: Uint8Array | undefined;
  try {
    for (;;) {
      const next = await training.next();
      if (next.done === true) return { events, result: next.value, ...(last && { checkpoint: last }) };
      const event = next.value;
      events.push(event);
      if (event.kind === "checkpoint") {
        last = event.bytes;
        if (event.step === stopAfter) stop.abort(new Error("stopped"));
      }
    }
  } catch (stopped) {
    return { events, stopped, ...(last && { checkpoint: last }) };
  }
}

const expectSame = (a: ParameterSet, b: ParameterSet, names = [...a.keys()]) => {
  for (const name of names) expect(Buffer.from(a.get(name)!.data.buffer).equals(Buffer.from(b.get(name)!.data.buffer)), name).toBe(true); // biome-ignore format: one check
};

describe("the schedule", () => {
  const schedule = { peakLearningRate: 1, minLearningRate: 0.1, warmupEpochs: 2, epochs: 10 };
  it("warms up from exactly 0, peaks, and falls along half a cosine to the floor", () => {
    expect([0, 1, 2, 6, 10].map((epoch) => learningRateAt(epoch, schedule))).toEqual([
      0,
      0.5,
      1,
      0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI / 2)),
      0.1,
    ]);
  });
});

describe("a fine-tune", () => {
  it("resumed from a checkpoint equals one that never stopped, bit for bit", async () => {
    const whole = await run({ checkpointEverySteps: 5 });
    const first = await run({ checkpointEverySteps: 5 }, { stopAfter: 5 });
    expect(first.stopped).toMatchObject({ message: "stopped" });
    const second = await run({ checkpointEverySteps: 5 }, { checkpoint: first.checkpoint! });
    expectSame(second.result!.parameters, whole.result!.parameters);
    expect(second.result!.metrics).toEqual(whole.result!.metrics);
    expect(second.events[0]).toMatchObject({ kind: "log", text: "Continues after step 5 of 12" });
  });

  it("takes unknown labels as absent when told to, and leaves them out otherwise", async () => {
    const relabelled = (from: number, to: number): Dataset => ({
      ...dataset,
      samples: dataset.samples.map((sample, i) => ({
        ...sample,
        occurrence: sample.occurrence.map((label) => (i % 3 === 0 && label === from ? to : label)),
      })),
    });
    const train = async (data: Dataset, unknownLabels: "masked" | "negative") => {
      const plan = planFineTune({ ...recipe, epochs: 1, warmupEpochs: 0, unknownLabels }, data);
      const training = fineTune({ tf, dataset: data, plan, signal: new AbortController().signal });
      let next = await training.next();
      while (next.done !== true) next = await training.next();
      return next.value.parameters;
    };
    const negative = await train(relabelled(0, -1), "negative");
    expectSame(negative, await train(dataset, "negative"));
    const masked = await train(relabelled(0, -1), "masked");
    expect(masked.get("head.bias")!.data).not.toEqual(negative.get("head.bias")!.data);
  });

  it("refuses the checkpoint of another recipe", async () => {
    const { checkpoint } = await run({ checkpointEverySteps: 1, epochs: 1, warmupEpochs: 0 }, { stopAfter: 1 });
    const { stopped } = await run({ seed: 9 }, { checkpoint: checkpoint! });
    expect(stopped).toMatchObject({ reason: "CHECKPOINT_MISMATCH" });
  });

  it("learns its training frames, and tells of it", async () => {
    const { events, result } = await run({ epochs: 8, lambda: 0, layerDecay: 1, dropPath: 0, horizontalFlip: false });
    const losses = events.flatMap((event) =>
      event.kind === "metrics" && event.values["train/auLoss"] !== undefined ? event.values["train/auLoss"] : [],
    );
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
    const progress = events.filter((event) => event.kind === "progress");
    expect(progress.at(-1)).toMatchObject({ step: 48, totalSteps: 48, epoch: 8, etaMs: 0 });
    expect(result!.metrics).toHaveProperty("validation/meanF1");
    expect(events.filter((event) => event.kind === "metrics" && "validation/meanF1" in event.values).length).toBe(8);
  });

  it("ends with a reason when the loss is no number any more", async () => {
    const { checkpoint } = await run({ checkpointEverySteps: 1 }, { stopAfter: 1 });
    const training = readSafetensors(checkpoint!).metadata.training!;
    const state = readCheckpoint(checkpoint!, training);
    const parameters = new Map(state.parameters);
    parameters.set("head.bias", { shape: [7], data: new Float32Array(7).fill(Number.NaN) });
    const broken = writeCheckpoint({ ...state, parameters });
    const { stopped } = await run({ checkpointEverySteps: 1 }, { checkpoint: broken });
    expect(stopped).toMatchObject({ reason: "NON_FINITE_LOSS", message: expect.stringContaining("step 2") });
  });

  it("leaks no tensors", async () => {
    await run({ epochs: 1, warmupEpochs: 0 });
    const before = tf.memory().numTensors;
    await run({ epochs: 1, warmupEpochs: 0 });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("the gradients at the backbone", () => {
  const norms = (lambda: number, numSubjects = 3) => {
    const config = createModelConfig("micro", { actionUnits: [1, 12], numSubjects, dropPath: 0 });
    const detector = createAuDetector(tf, config, initialiseParameters(config, 5));
    const optimizer = createAdamW(tf, detector.variables, parameterGroups(config, { layerDecay: 1, weightDecay: 0 }));
    const images = Float32Array.from({ length: 2 * 3 * 96 * 96 }, (_, i) => Math.sin(0.37 * i));
    const batch = { images, occurrence: Int8Array.of(1, 0, 0, 1), subjects: Int32Array.of(0, 2) };
    const options = {
      learningRate: 0,
      lambda,
      identityLoss: "bce",
      clipGradientNorm: 0,
      seed: 1,
      measureGradients: true,
    } as const;
    const measured = trainStep(tf, { detector, optimizer, config }, [batch], options);
    detector.dispose();
    optimizer.dispose();
    return measured;
  };

  it("are told apart: lambda scales the reversed identity loss's alone", () => {
    const [one, three] = [norms(1), norms(3)];
    expect(three.auGradientNorm!).toBeCloseTo(one.auGradientNorm!, 6);
    expect(three.identityGradientNorm! / one.identityGradientNorm!).toBeCloseTo(3, 3);
    expect(one.gradientRatio!).toBeCloseTo(one.identityGradientNorm! / one.auGradientNorm!, 9);
    expect(one.identityGradientNorm!).toBeGreaterThan(1e-4);
  });
  it("are the AU loss's alone without an identity head", () => {
    const plain = norms(0, 0);
    expect(plain.auGradientNorm!).toBeCloseTo(norms(1).auGradientNorm!, 6);
    expect(plain).not.toHaveProperty("identityGradientNorm");
  });
});

describe("accumulation", () => {
  const images = Float32Array.from({ length: 4 * 3 * 96 * 96 }, (_, i) => Math.sin(0.37 * i));
  const occurrence = Int8Array.of(1, 0, -1, 1, -1, -1, 0, 1);
  const subjects = Int32Array.of(0, 2, 1, 1);
  const part = (from: number, to: number) => ({
    images: images.slice(from * 3 * 96 * 96, to * 3 * 96 * 96),
    occurrence: occurrence.slice(2 * from, 2 * to),
    subjects: subjects.slice(from, to),
  });
  const train = (batches: ReturnType<typeof part>[], clipGradientNorm = 0) => {
    const config = createModelConfig("micro", { actionUnits: [1, 12], numSubjects: 3, dropPath: 0 });
    const detector = createAuDetector(tf, config, initialiseParameters(config, 5));
    const optimizer = createAdamW(tf, detector.variables, parameterGroups(config, { layerDecay: 1, weightDecay: 0 }));
    const options = { learningRate: 1e-3, lambda: 1, identityLoss: "bce", clipGradientNorm, seed: 1 } as const;
    const metrics = trainStep(tf, { detector, optimizer, config }, batches, options);
    const { firstMoments } = optimizer.state();
    detector.dispose();
    optimizer.dispose();
    return { metrics, firstMoments };
  };

  it("equals one big batch, unknown labels included", () => {
    const whole = train([part(0, 4)]);
    for (const parts of [
      [part(0, 2), part(2, 4)],
      [part(0, 3), part(3, 4)],
      [part(0, 1), part(1, 2), part(2, 4)],
    ]) {
      // biome-ignore format: ways to cut it
      const accumulated = train(parts);
      for (const [name, value] of Object.entries(whole.metrics)) {
        expect(accumulated.metrics[name as keyof typeof whole.metrics], name).toBeCloseTo(value, 5);
      }
      // After the first step the first moments are a tenth of the gradient.
      for (const [name, moments] of whole.firstMoments) {
        const other = accumulated.firstMoments.get(name)!;
        const error = Math.hypot(...Array.from(moments, (value, i) => value - other[i]!));
        expect(error, name).toBeLessThan(1e-5 * Math.hypot(...moments) + 1e-9);
      }
    }
  });
  it("is clipped by the norm of the sum", () => {
    const gradientNorm = (clip: number) =>
      10 * Math.hypot(...[...train([part(0, 2), part(2, 4)], clip).firstMoments.values()].map((m) => Math.hypot(...m)));
    const free = gradientNorm(0);
    expect(gradientNorm(free * 2)).toBeCloseTo(free, 5);
    expect(gradientNorm(free / 4)).toBeCloseTo(free / 4, 5);
  });
});

describe("lambda = 0", () => {
  it("leaves the backbone as if there were no identity head, bit for bit", () => {
    const train = (numSubjects: number): ParameterSet => {
      const config = createModelConfig("micro", { actionUnits: [1, 12], numSubjects, dropPath: 0.1 });
      const detector = createAuDetector(tf, config, initialiseParameters(config, 5));
      const groups = parameterGroups(config, { layerDecay: 0.65, weightDecay: 0.05 });
      const optimizer = createAdamW(tf, detector.variables, groups);
      const images = Float32Array.from({ length: 4 * 3 * 96 * 96 }, (_, i) => Math.sin(0.37 * i));
      const batch = { images, occurrence: Int8Array.of(1, 0, 0, 1, -1, 1, 0, 0), subjects: Int32Array.of(0, 1, 2, 1) };
      for (let step = 0; step < 3; step++) {
        const options = {
          learningRate: 1e-3,
          lambda: 0,
          identityLoss: "bce",
          clipGradientNorm: 0,
          seed: step,
        } as const;
        trainStep(tf, { detector, optimizer, config }, [batch], options);
      }
      const parameters = detector.parameters();
      detector.dispose();
      optimizer.dispose();
      return parameters;
    };
    const [plain, adversarial] = [train(0), train(3)];
    expectSame(plain, adversarial, [...plain.keys()]);
    expect(adversarial.has("ID_head.weight")).toBe(true);
  });

  it("in a recipe means no identity head at all", () => {
    expect(planFineTune({ ...recipe, lambda: 0 }, dataset).config.numSubjects).toBe(0);
    expect(planFineTune({ ...recipe, lambda: 0.5 }, dataset).config.numSubjects).toBe(4);
  });
});

describe("an impossible recipe", () => {
  const violations = (plan: () => unknown) => {
    try {
      plan();
    } catch (error) {
      return (error as { reason: string; violations: { field: string; description: string }[] }).violations;
    }
    throw new Error("The recipe was accepted");
  };

  it("names every field that is wrong", () => {
    const fields = violations(() => planFineTune({ epochs: 0, testFraction: 1, variant: "giant" as never }, dataset));
    expect(fields.map(({ field }) => field).sort()).toEqual(["epochs", "testFraction", "variant"]);
  });
  it("is one that does not fit the data", () => {
    expect(violations(() => planFineTune({ ...recipe, batchSize: 1000 }, dataset))[0]).toEqual({
      field: "batchSize",
      description: "Expected at most the 48 frames of the training part, got 1000",
    });
    expect(violations(() => planFineTune({ ...recipe, warmupEpochs: 2 }, dataset))[0]!.field).toBe("warmupEpochs");
    const one = { ...dataset, subjects: ["a"] };
    expect(violations(() => planFineTune(recipe, one))[0]!.description).toContain("at least 2 subjects");
  });
});

describe("the linear probe", () => {
  it("names the subjects of drawn faces far better than chance, from weights nobody trained", async () => {
    const config = createModelConfig("micro", { actionUnits: [1], numSubjects: 0, dropPath: 0 });
    const plan = planLinearProbe({ epochs: 60, batchSize: 16 }, dataset);
    const signal = new AbortController().signal;
    const probe = linearProbe({ tf, dataset, plan, config, parameters: initialiseParameters(config, 1), signal });
    let next = await probe.next();
    while (next.done !== true) next = await probe.next();
    const { top1, top5, chance, testFrames, trainFrames } = next.value;
    expect(chance).toBe(0.25);
    expect(trainFrames + testFrames).toBe(64);
    expect(top1).toBeGreaterThan(2 * chance);
    expect(top5).toBe(1);
  });
});
