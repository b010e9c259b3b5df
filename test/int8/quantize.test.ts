import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  createDuchenneClient,
  type DuchenneClient,
  exportModel,
  importModel,
  waitForJob,
  watchJob,
} from "@duchenne/client";
import {
  DatasetProtocol,
  ExportFormat,
  ModelPrecision,
  type QuantizeModelRequestSchema,
  type RangeMethod,
} from "@duchenne/proto";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duchenneCommand } from "../e2e/duchenne-command.ts";
import { failureOf } from "../e2e/failure-of.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";

const SOURCE = "models/published/versions/1";
const QUANTIZED = "models/published/versions/2";
const FACES = "datasets/faces";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", join(folder.path, "data"));
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  const synthesis = { datasetId: "faces", subjects: 4, framesPerSubject: 8, imageSize: 32 };
  await waitForJob(client, (await client.datasets.synthesizeDataset(synthesis)).name);
  const options = { model: "models/published", protocol: DatasetProtocol.BP4D, heads: 3 };
  const { modelVersion } = await importModel(client, fixture("detector.pth"), options);
  expect(modelVersion).toMatchObject({ name: SOURCE, precision: ModelPrecision.FLOAT32 });
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const fixture = (name: string) => fileURLToPath(new URL(`../reference/fixtures/weights/${name}`, import.meta.url));

const quantization = async (request: MessageInitShape<typeof QuantizeModelRequestSchema>) => {
  const { result } = await waitForJob(client, (await client.models.quantizeModel(request)).name);
  const version = await client.models.getModelVersion({ name: result!.modelVersion as string });
  return { version, card: JSON.parse(version.cardJson) };
};

describe("a version in int8", () => {
  it("is made by a job, and its card says from what, on what and how exact", async () => {
    // An odd number: both precisions are through with half a frame more each time, and steps are whole.
    const request = { modelVersion: SOURCE, dataset: FACES, checkFrames: 15 };
    const checked = await client.models.quantizeModel({ ...request, validateOnly: true });
    expect(checked).toMatchObject({ name: "", kind: "quantization" });
    // Nothing is known to be held out: half of the 32 frames are left to compare on.
    const frames = { calibrationFrames: 16, checkFrames: 15 };
    expect(checked.spec).toMatchObject({ ...frames, maxMeanDifference: 0.01, rangeMethod: "least_squares", seed: 0 });
    const { name } = await client.models.quantizeModel(request);
    const phases = new Set<string>();
    const artifacts: string[] = [];
    for await (const { event } of watchJob(client, name)) {
      if (event.case === "progress") phases.add(event.value.phase);
      if (event.case === "artifact") artifacts.push(event.value.name);
    }
    const { result, error } = await client.jobs.getJob({ name });
    expect(error?.message).toBeUndefined();
    expect([...phases]).toEqual(["calibrating", "comparing"]);
    expect(artifacts).toEqual([QUANTIZED]);

    const version = await client.models.getModelVersion({ name: QUANTIZED });
    expect(version).toMatchObject({ kind: "vit", precision: ModelPrecision.INT8, job: name });
    expect(version.files.map(({ role }) => role)).toEqual(["onnx", "card"]);
    const dataset = await client.datasets.getDataset({ name: FACES });
    const card = JSON.parse(version.cardJson);
    expect(card).toMatchObject({
      model: "models/published",
      lineage: { attempt: 1, quantizedModelVersion: SOURCE },
      quantization: {
        precision: "int8",
        calibration: { dataset: FACES, digest: dataset.digest, frames: 16, seed: 0 },
        floatLayers: [],
        measured: { frames: 15, isHeldOut: false, meanDifference: result!.meanDifference },
      },
    });
    const { meanDifference, maxDifference } = card.quantization.measured;
    expect(meanDifference).toBeGreaterThan(0);
    expect(meanDifference).toBeLessThanOrEqual(0.01);
    expect(maxDifference).toBeGreaterThan(meanDifference);
  });

  it("is promoted and served like any other, and answers say what it computes in", async () => {
    await client.models.setAlias({ name: "models/default@live", version: QUANTIZED });
    const image = await sharp({ create: { width: 16, height: 16, channels: 3, background: "#a87" } })
      .png()
      .toBuffer();
    const answers = await Promise.all(
      ["", SOURCE].map((model) => client.detector.detectFaces({ image, model, imageIsCrop: true })),
    );
    expect(answers.map(({ model }) => [model?.name, model?.precision])).toEqual([
      [QUANTIZED, ModelPrecision.INT8],
      [SOURCE, ModelPrecision.FLOAT32],
    ]);
    const [int8, float32] = answers.map(({ faces }) => faces[0]!.scores.map(({ score }) => score));
    expect(int8).toHaveLength(float32!.length);
    for (const [unit, score] of int8!.entries()) expect(Math.abs(score - float32![unit]!)).toBeLessThan(0.05);
  });

  it("comes again with the same bytes, into another model, from the command line", async () => {
    const command = ["models", "quantize", SOURCE, "--dataset", FACES, "--model", "models/small"];
    const run = await duchenneCommand(server, ...command);
    expect(run.stderr).toMatch(/probabilities differ by 0\.00\d\d on average/);
    expect(run).toMatchObject({ code: 0, stdout: "models/small/versions/1\n" });
    const dry = await duchenneCommand(server, ...command, "--ranges", "min-max", "--dry-run");
    expect(JSON.parse(dry.stdout)).toMatchObject({ model: "models/small", rangeMethod: "min_max" });
    const onnxOf = async (name: string) => {
      const file = await exportModel(client, { name, format: ExportFormat.ONNX }, join(folder.path, "exported"));
      return readFile(file);
    };
    expect(await onnxOf("models/small/versions/1")).toEqual(await onnxOf(QUANTIZED));
    const versions = await duchenneCommand(server, "models", "versions", "models/small");
    expect(versions.stdout).toMatch(/ models\/small\/versions\/1 {2}vit int8 {2}sha256:/);
  });

  it("is none where a limit cannot be kept", async () => {
    const request = { modelVersion: SOURCE, dataset: FACES, model: "models/none", maxMeanDifference: 1e-9 };
    const { name } = await client.models.quantizeModel(request);
    await expect(waitForJob(client, name)).rejects.toThrow();
    const { error } = await client.jobs.getJob({ name });
    expect(error).toMatchObject({ code: "failed_precondition", reason: "INACCURATE_QUANTIZATION" });
    expect(error!.message).toMatch(/by at most 1e-9 on average, got 0\.\d{4} with all layers/);
    const versions = client.models.listModelVersions({ parent: "models/none" });
    expect(await failureOf(versions)).toMatchObject({ code: "NotFound" });
  });

  it("can be of a classifier, on faces that nobody labelled", async () => {
    const options = { model: "models/raf", protocol: DatasetProtocol.RAF_DB, heads: 3 };
    const { name: modelVersion } = (await importModel(client, fixture("classifier.pth"), options)).modelVersion!;
    const request = { modelVersion, dataset: FACES, calibrationFrames: 8, checkFrames: 10 };
    const { version, card } = await quantization(request);
    expect(version).toMatchObject({ kind: "vit-expression", precision: ModelPrecision.INT8 });
    expect(card.quantization.measured).toMatchObject({ frames: 10, float32: {}, int8: {} });
  });
});

describe("what cannot be quantised", () => {
  const refused = (changes: MessageInitShape<typeof QuantizeModelRequestSchema>) =>
    failureOf(client.models.quantizeModel({ modelVersion: SOURCE, dataset: FACES, ...changes }));
  const invalid = "InvalidArgument";

  it("is refused by its field, with what is wrong", async () => {
    const already = await refused({ modelVersion: QUANTIZED });
    expect(already).toMatchObject({ code: invalid, reason: "NOT_QUANTIZABLE", fields: ["model_version"] });
    expect(already.text).toContain(`${QUANTIZED} is in int8 already, of ${SOURCE}`);
    const options = { model: "models/pretrained", heads: 3, decoderHeads: 2 };
    const mae = (await importModel(client, fixture("mae.pth"), options)).modelVersion!;
    const autoencoder = await refused({ modelVersion: mae.name });
    expect(autoencoder).toMatchObject({ code: invalid, reason: "NOT_QUANTIZABLE", fields: ["model_version"] });
    expect(autoencoder.text).toContain(`${mae.name} is a masked autoencoder`);
    const builtIn = { modelVersion: "models/blendshape-au/versions/1" };
    expect(await refused(builtIn)).toMatchObject({ reason: "BUILT_IN_MODEL", fields: ["model_version"] });
    expect(await refused({ model: "models/blendshape-au" })).toMatchObject({ fields: ["model"] });
    expect(await refused({ modelVersion: "models/published/versions/99" })).toMatchObject({ code: "NotFound" });
    expect(await refused({ dataset: "datasets/none" })).toMatchObject({ code: "NotFound" });

    const many = await refused({ calibrationFrames: 500 });
    expect(many).toMatchObject({ reason: "TOO_FEW_CALIBRATION_FRAMES", fields: ["calibration_frames"] });
    expect(many.text).toContain("Expected at most the 16 frames there are to calibrate on, got 500");
    for (const [changes, fields] of [
      [{ maxMeanDifference: 0 }, ["max_mean_difference"]],
      [{ rangeMethod: 9 as RangeMethod }, ["range_method"]],
      [{ dataset: "faces" }, ["dataset"]],
      [{ model: "mine" }, ["model"]],
    ] as const) {
      expect(await refused(changes)).toMatchObject({ code: invalid, reason: "INVALID_REQUEST", fields });
    }
  });

  it("a version in int8 is nothing to train from, or to be taught by", async () => {
    const value = { dataset: FACES, model: "models/next" };
    const trainings = {
      "fine_tune.encoder.initial_model_version": {
        case: "fineTune",
        value: { ...value, encoder: { initialModelVersion: QUANTIZED } },
      },
      "distil.teacher_model_version": { case: "distil", value: { ...value, teacherModelVersion: QUANTIZED } },
      "linear_probe.model_version": { case: "linearProbe", value: { dataset: FACES, modelVersion: QUANTIZED } },
    } as const;
    for (const [field, training] of Object.entries(trainings)) {
      const failure = await failureOf(client.trainer.createTrainingJob({ training, validateOnly: true }));
      expect(failure).toMatchObject({ code: invalid, reason: "NO_FLOAT_WEIGHTS", fields: [field] });
      expect(failure.text).toContain(`${QUANTIZED} is in int8; take ${SOURCE}`);
    }
  });
});
