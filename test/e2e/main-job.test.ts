import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient, type Transport } from "@connectrpc/connect";
import { createImageLoader, openDataset, SYNTHFACS_ACTION_UNITS } from "@duchenne/data";
import { readSafetensors } from "@duchenne/model";
import { createAuDetector } from "@duchenne/model/training";
import {
  DatasetService,
  DetectorService,
  EvaluatorService,
  type Job,
  type JobEvent,
  JobService,
  JobState,
  ModelService,
  Split,
  type StreamDetectResponse,
  ThresholdOrigin,
  TrainerService,
} from "@duchenne/proto";
import { openBlobs } from "@duchenne/store";
import { loadTensorFlow } from "@duchenne/tensor";
import { expect, it } from "vitest";
import { createMessageQueue } from "./message-queue.ts";
import { photographOfSmile } from "./photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

/** Reads a job's events until it has ended, or until `stop` says so. */
async function watch(
  transport: Transport,
  name: string,
  { afterEvent = 0n, stop = () => false }: { afterEvent?: bigint; stop?: (event: JobEvent) => boolean } = {},
): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const { event } of createClient(JobService, transport).watchJob({ name, afterEvent })) {
    events.push(event!);
    if (stop(event!)) break;
  }
  return events;
}

async function finished(transport: Transport, { name }: Job): Promise<Job> {
  await watch(transport, name);
  const job = await createClient(JobService, transport).getJob({ name });
  expect(job.error?.message, job.displayName).toBeUndefined();
  expect(job.state, job.displayName).toBe(JobState.SUCCEEDED);
  return job;
}

it("does the main job: synthesize, train, kill -9, restart, evaluate, promote, stream", async () => {
  await using folder = await temporaryFolder();
  let server: ServerProcess = await startServer("standalone", folder.path);
  try {
    const synthesis = { datasetId: "faces", seed: 5n, subjects: 6, framesPerSubject: 16, imageSize: 96 };
    const drawn = await createClient(DatasetService, server.grpc).synthesizeDataset(synthesis);
    expect((await finished(server.grpc, drawn)).result).toEqual({ dataset: "datasets/faces" });
    const dataset = await createClient(DatasetService, server.connect).getDataset({ name: "datasets/faces" });
    expect(dataset).toMatchObject({ subjects: 6, frames: 96, actionUnits: [...SYNTHFACS_ACTION_UNITS] });

    // Train; kill the server in the middle of it.
    const training = await createClient(TrainerService, server.grpc).createTrainingJob({
      requestId: "8c1f7c0e-0b0a-4a53-9d33-9d8a4c1b7a11",
      training: {
        case: "fineTune",
        value: {
          dataset: "datasets/faces",
          model: "models/demo",
          encoder: { variant: "micro" },
          augmentation: "flip",
          lambda: 0.5,
          split: { validationFraction: 0 },
          optimization: { epochs: 6, batchSize: 16, checkpointEverySteps: 2 },
        },
      },
    });
    const seen = await watch(server.grpc, training.name, {
      stop: ({ event }) => event.case === "checkpoint" && event.value.step >= 6n,
    });
    await server.end("SIGKILL");
    server = await startServer("standalone", folder.path);

    // The same request is the same job, and its watch goes on behind the last event seen.
    const rest = await watch(server.grpc, training.name, { afterEvent: seen.at(-1)!.number });
    const events = [...seen, ...rest];
    expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => BigInt(i + 1)));
    const trained = await createClient(JobService, server.grpc).getJob({ name: training.name });
    expect(trained.error?.message).toBeUndefined();
    expect(trained).toMatchObject({
      state: JobState.SUCCEEDED,
      attempt: 2,
      result: { modelVersion: "models/demo/versions/1" },
    });
    const resumed = events.flatMap(({ event }) => (event.case === "log" ? event.value.text : []));
    expect(resumed[0]).toMatch(/^Continues after step [1-9]\d* of 24$/);

    const waits = events.flatMap(({ event }) => (event.case === "progress" ? event.value.inputWaitShare : []));
    expect(waits.length).toBeGreaterThan(0);
    for (const share of waits) {
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
    }

    // Evaluate on the subjects that the training held out.
    const evaluation = await createClient(EvaluatorService, server.grpc).createEvaluation({
      modelVersion: "models/demo/versions/1",
      dataset: "datasets/faces",
      identityLeakage: true,
      bootstrapResamples: 100,
    });
    const { result } = await finished(server.grpc, evaluation);
    const report = await createClient(EvaluatorService, server.connect).getReport({
      name: (result as { evaluation: string }).evaluation,
    });
    expect(report).toMatchObject({ split: Split.HELD_OUT, modelVersion: "models/demo/versions/1" });
    expect(report.subjects).toBe(2);
    expect(report.actionUnits.map(({ actionUnit }) => actionUnit)).toEqual([...SYNTHFACS_ACTION_UNITS]);
    for (const unit of report.actionUnits) {
      const { truePositives, falsePositives, falseNegatives, trueNegatives } = unit.confusion!;
      expect(truePositives + falsePositives + falseNegatives + trueNegatives).toBe(unit.frames);
      expect(truePositives + falseNegatives).toBe(Math.round(unit.prevalence * unit.frames));
      expect(unit.calibrationBins.reduce((sum, { frames }) => sum + frames, 0)).toBe(unit.frames);
      expect(unit.thresholdOrigin).not.toBe(ThresholdOrigin.UNSPECIFIED);
      expect(unit.f1AtHalf).toHaveProperty("value");
      expect(unit.brierScore?.value).toBeLessThanOrEqual(1);
    }
    for (const figure of [report.f1Micro, report.macroAveragePrecision, report.meanCalibrationError]) {
      expect(figure!.lower!).toBeLessThanOrEqual(figure!.upper!);
    }
    expect(report.identityLeakage?.chance).toBe(0.5);
    expect(report.markdown).toContain("| AU12 Lip corner puller |");
    expect(JSON.parse(report.json)).toMatchObject({ frames: report.frames });

    // A live stream moves to the trained version when it is promoted.
    const requests = createMessageQueue<Parameters<typeof frame>[0]>();
    const responses = createClient(DetectorService, server.grpc)
      .streamDetect(toRequests(requests))
      [Symbol.asyncIterator]();
    const next = async (): Promise<StreamDetectResponse["message"]> => (await responses.next()).value!.message;
    expect(await next()).toMatchObject({ case: "configured", value: { model: { kind: "blendshape-au" } } });
    const smile = await photographOfSmile();
    requests.push({ sequence: 1n, image: smile });
    expect(await next()).toMatchObject({ case: "result", value: { model: "models/blendshape-au/versions/1" } });
    await createClient(ModelService, server.grpc).setAlias({
      name: "models/default@live",
      version: "models/demo/versions/1",
    });
    const opened = await openDataset(dataset.directory);
    const crop = await readFile(opened.samples[0]!.imagePath);
    let logits: (number | undefined)[] = [];
    for (let sequence = 2n; logits.length === 0; sequence++) {
      expect(sequence).toBeLessThan(200n);
      requests.push({ sequence, image: crop, imageIsCrop: true });
      let message = await next();
      if (message.case === "configured") {
        expect(message.value.model).toMatchObject({
          name: "models/demo/versions/1",
          alias: "models/default@live",
          kind: "vit",
        });
        message = await next();
      }
      expect(message.case).toBe("result");
      if (message.case === "result" && message.value.model === "models/demo/versions/1") {
        logits = message.value.faces[0]!.scores.map(({ logit }) => logit);
      }
    }
    requests.push({ sequence: 1000n, image: smile });
    expect(await next()).toMatchObject({ case: "result", value: { model: "models/demo/versions/1" } });
    requests.end();
    expect(await next()).toMatchObject({ case: "summary", value: { framesDropped: 0n } });

    // What is served is what was trained.
    const version = await createClient(ModelService, server.grpc).getModelVersion({ name: "models/default@live" });
    const weights = version.files.find(({ role }) => role === "safetensors")!;
    const { parameters } = readSafetensors(await openBlobs(join(folder.path, "blobs")).get(weights.digest));
    const tf = await loadTensorFlow();
    const { config } = JSON.parse(version.cardJson);
    const detector = createAuDetector(tf, config, parameters);
    const pixels = await createImageLoader(opened, { imageSize: 96 }).load([0]);
    const images = tf.tensor4d(pixels, [1, 3, 96, 96]);
    const expected = detector.forward(images, { training: false, lambda: 0, seed: 0 }).auLogits.dataSync();
    for (const [unit, logit] of logits.entries()) expect(Math.abs(logit! - expected[unit]!)).toBeLessThanOrEqual(1e-4);
  } finally {
    await server.end();
  }
}, 300_000);

interface TestFrame {
  readonly sequence: bigint;
  readonly image: Uint8Array;
  readonly imageIsCrop?: boolean;
}

function frame(value: TestFrame) {
  return { message: { case: "frame" as const, value } };
}

async function* toRequests(frames: AsyncIterable<TestFrame>) {
  yield { message: { case: "configuration" as const, value: { outputs: { logits: true } } } };
  for await (const value of frames) yield frame(value);
}

it("cancels a training over RPC: it writes a checkpoint and ends as CANCELLED", async () => {
  await using folder = await temporaryFolder();
  const server = await startServer("trainer", folder.path);
  try {
    const synthesis = { datasetId: "faces", subjects: 3, framesPerSubject: 40, imageSize: 96 };
    await finished(server.grpc, await createClient(DatasetService, server.grpc).synthesizeDataset(synthesis));
    const value = {
      dataset: "datasets/faces",
      model: "models/long",
      encoder: { variant: "micro" },
      augmentation: "flip",
      optimization: { epochs: 1000, batchSize: 8 },
    };
    const request = { training: { case: "fineTune" as const, value } };
    const trainer = createClient(TrainerService, server.grpc);
    const jobs = createClient(JobService, server.grpc);
    const checked = await trainer.createTrainingJob({ ...request, validateOnly: true });
    expect(checked).toMatchObject({
      name: "",
      kind: "fine_tune",
      spec: { recipe: { preset: "recommended", optimization: { epochs: 1000, layerDecay: 0.65 } } },
    });
    expect((await jobs.listJobs({})).jobs.map(({ kind }) => kind)).toEqual(["synthesize_dataset"]);
    const training = await trainer.createTrainingJob(request);
    const seen = await watch(server.grpc, training.name, { stop: ({ event }) => event.case === "progress" });
    expect((await jobs.cancelJob({ name: training.name })).state).toBe(JobState.CANCELLING);
    const rest = await watch(server.grpc, training.name, { afterEvent: seen.at(-1)!.number });
    expect(rest.map(({ event }) => event.case)).toContain("checkpoint");
    expect(rest.at(-1)!.event).toMatchObject({ case: "state", value: { state: JobState.CANCELLED } });
    await expect(jobs.cancelJob({ name: training.name })).rejects.toThrow("Expected a job that has not ended");
    const { modelVersions } = await createClient(ModelService, server.grpc)
      .listModelVersions({ parent: "models/long" })
      .catch(() => ({ modelVersions: [] }));
    expect(modelVersions).toEqual([]);
  } finally {
    await server.end();
  }
});
