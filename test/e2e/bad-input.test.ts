import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import {
  DatasetProtocol,
  DatasetService,
  DetectorService,
  DropReason,
  EvaluatorService,
  JobService,
  ModelService,
  type StreamDetectResponse,
  TrainerService,
} from "@duchenne/proto";
import { Health } from "@duchenne/proto/rpc";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf } from "./failure-of.ts";
import { grayImage, photographOfSmile } from "./photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", folder.path);
});
afterAll(async () => {
  await server.end();
  await folder[Symbol.asyncDispose]();
});

/** A PNG whose header claims many pixels and whose body holds few bytes. */
async function hugeImage(): Promise<Buffer> {
  const png = await grayImage(16, 16);
  png.writeUInt32BE(60_000, 16);
  png.writeUInt32BE(60_000, 20);
  return png;
}

describe("DetectFaces", () => {
  const detect = (image: Uint8Array, more = {}) =>
    failureOf(createClient(DetectorService, server.grpc).detectFaces({ image, ...more }));

  it("refuses what is not an image", async () => {
    expect(await detect(Buffer.from("hello, I am no image"))).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_IMAGE",
      fields: ["image"],
    });
    const gif = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
      .gif()
      .toBuffer();
    expect((await detect(gif)).text).toContain("Expected a JPEG, PNG or WebP image, got gif");
    const cut = (await photographOfSmile()).subarray(0, 5000);
    expect(await detect(cut)).toMatchObject({ code: "InvalidArgument", reason: "INVALID_IMAGE" });
  });
  it("refuses an empty image by its field", async () => {
    expect(await detect(new Uint8Array())).toMatchObject({ code: "InvalidArgument", fields: ["image"] });
  });
  it("refuses a huge image before it decodes a pixel", async () => {
    const failure = await detect(await hugeImage());
    expect(failure).toMatchObject({ code: "InvalidArgument", reason: "IMAGE_TOO_LARGE" });
  });
  it("refuses an unknown model, and a name that is none", async () => {
    const image = await grayImage(64, 64);
    expect(await detect(image, { model: "models/nobody@live" })).toMatchObject({
      code: "NotFound",
      reason: "ALIAS_NOT_FOUND",
    });
    expect(await detect(image, { model: "models/nobody/versions/7" })).toMatchObject({
      code: "NotFound",
      reason: "MODEL_VERSION_NOT_FOUND",
    });
    expect(await detect(image, { model: "../etc" })).toMatchObject({ code: "InvalidArgument", fields: ["model"] });
  });
  it("refuses contradicting fields and boxes beside the image", async () => {
    const image = await grayImage(64, 64);
    const faceBox = { left: 100, top: 0, width: 10, height: 10 };
    expect(await detect(image, { faceBox })).toMatchObject({ code: "InvalidArgument", reason: "INVALID_FACE_BOX" });
    expect(await detect(image, { faceBox, imageIsCrop: true })).toMatchObject({ fields: ["face_box"] });
    expect(await detect(image, { faceBox: { ...faceBox, width: -1 } })).toMatchObject({ fields: ["face_box.width"] });
  });
  it("answers no face with no face", async () => {
    const image = await grayImage(320, 240);
    const response = await createClient(DetectorService, server.grpc).detectFaces({ image });
    expect(response.faces).toEqual([]);
    expect(response.imageSize).toMatchObject({ width: 320, height: 240 });
  });
});

describe("StreamDetect", () => {
  const stream = async (messages: object[]) => {
    async function* requests() {
      for (const message of messages) yield { message } as never;
    }
    const answers: StreamDetectResponse["message"][] = [];
    for await (const { message } of createClient(DetectorService, server.grpc).streamDetect(requests())) {
      answers.push(message);
    }
    return answers;
  };
  const configuration = { case: "configuration", value: {} };
  const frame = (sequence: bigint, image: Uint8Array, more = {}) => ({
    case: "frame",
    value: { sequence, image, ...more },
  });

  it("drops bad frames with their reason and goes on", async () => {
    const smile = await photographOfSmile();
    const answers = await stream([
      configuration,
      frame(1n, Buffer.from("nonsense")),
      frame(2n, await hugeImage()),
      frame(3n, new Uint8Array()),
      frame(4n, smile),
      frame(4n, smile),
      frame(9n, await grayImage(64, 64)),
    ]);
    const told = answers.map((each) => {
      if (each.case === "dropped") return [each.case, each.value.sequence, each.value.reason];
      if (each.case === "result") return [each.case, each.value.sequence, each.value.faces.length];
      return [each.case];
    });
    expect(told).toEqual([
      ["configured"],
      ["dropped", 1n, DropReason.INVALID],
      ["dropped", 2n, DropReason.TOO_LARGE],
      ["dropped", 3n, DropReason.INVALID],
      ["result", 4n, 1],
      ["dropped", 4n, DropReason.INVALID],
      ["result", 9n, 0],
      ["summary"],
    ]);
    const summary = answers.at(-1);
    expect(summary?.case === "summary" && summary.value).toMatchObject({ framesReceived: 6n, framesDropped: 4n });
  });
  it("wants the configuration first, once", async () => {
    expect(await failureOf(stream([frame(1n, new Uint8Array([1]))]))).toMatchObject({ reason: "INVALID_STREAM_ORDER" });
    expect(await failureOf(stream([configuration, configuration]))).toMatchObject({ reason: "INVALID_STREAM_ORDER" });
    expect(await failureOf(stream([]))).toMatchObject({ reason: "INVALID_STREAM_ORDER" });
  });
});

describe("data sets and recipes", () => {
  const write = async (name: string, lines: object[], actionUnits = [1, 12]) => {
    const directory = join(folder.path, "import", name);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "dataset.json"), JSON.stringify({ name, actionUnits }));
    await writeFile(join(directory, "manifest.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
    await writeFile(join(directory, "a.png"), await grayImage(32, 32));
    return createClient(DatasetService, server.grpc).registerDataset({ datasetId: name, directory: name });
  };

  it("refuse a manifest with a missing file and an unknown action unit, both with their line", async () => {
    const failure = await failureOf(
      write("broken", [
        { image: "a.png", subject: "s", actionUnits: { 1: 0 } },
        { image: "gone.png", subject: "s", actionUnits: { 1: 0 } },
        { image: "a.png", subject: "s", actionUnits: { 99: 1 } },
      ]),
    );
    expect(failure).toMatchObject({ code: "InvalidArgument", reason: "INVALID_MANIFEST" });
    expect(failure.fields).toEqual(
      expect.arrayContaining(["manifest.jsonl:2:image", "manifest.jsonl:3:actionUnits.99"]),
    );
  });
  it("refuse folders outside of those that may be read", async () => {
    const register = (directory: string) =>
      failureOf(createClient(DatasetService, server.grpc).registerDataset({ datasetId: "x", directory }));
    for (const directory of ["/etc", "../..", "."]) {
      expect(await register(directory)).toMatchObject({ reason: "DIRECTORY_NOT_ALLOWED", fields: ["directory"] });
    }
  });
  it("refuse bad lines of a published label file, and label files outside of what may be read", async () => {
    const directory = join(folder.path, "import", "bp4d");
    await mkdir(join(directory, "2F01_T1"), { recursive: true });
    await writeFile(join(directory, "2F01_T1", "frame_1.jpg"), await grayImage(32, 32));
    const lines = [
      { img_path: "2F01_T1/frame_1.jpg", AUs: [1, 999, 24] },
      { img_path: "2F01_T1/frame_2.jpg", AUs: ["4"] },
      { img_path: "2X99_T1/frame_1.jpg", AUs: [5] },
    ];
    await writeFile(join(directory, "labels.json"), lines.map((line) => JSON.stringify(line)).join("\n"));
    const register = (labelFiles: string[]) =>
      failureOf(
        createClient(DatasetService, server.grpc).registerDataset({
          datasetId: "bp4d",
          directory: "bp4d",
          protocol: DatasetProtocol.BP4D,
          labelFiles,
        }),
      );
    const failure = await register(["labels.json"]);
    expect(failure).toMatchObject({ code: "InvalidArgument", reason: "INVALID_MANIFEST" });
    expect(failure.fields).toEqual(["labels.json:2:AUs.0", "labels.json:3:img_path", "labels.json:3:AUs.0"]);
    expect(await register([])).toMatchObject({ reason: "INVALID_MANIFEST", fields: ["label_files"] });
    for (const outside of ["/etc/passwd", "../../labels.json"]) {
      expect(await register([outside])).toMatchObject({ reason: "DIRECTORY_NOT_ALLOWED", fields: ["label_files[0]"] });
    }
  });
  it("refuse an impossible recipe by its fields, and do not start it", async () => {
    await write("tiny", [{ image: "a.png", subject: "s1", actionUnits: { 1: 0, 12: 3 } }]);
    const create = (value: object) =>
      failureOf(
        createClient(TrainerService, server.grpc).createTrainingJob({
          training: { case: "fineTune", value: { dataset: "datasets/tiny", model: "models/m", ...value } },
        } as never),
      );
    expect(await create({})).toMatchObject({ reason: "TOO_FEW_SUBJECTS", fields: ["fine_tune.dataset"] });
    const impossible = await create({
      encoder: { variant: "giant" },
      optimization: { epochs: 0, layerDecay: 2, warmupEpochs: -1 },
    });
    expect(impossible.fields.sort()).toEqual([
      "fine_tune.encoder.variant",
      "fine_tune.optimization.epochs",
      "fine_tune.optimization.layer_decay",
      "fine_tune.optimization.warmup_epochs",
    ]);
    expect(await create({ dataset: "datasets/none" })).toMatchObject({ code: "NotFound", reason: "DATASET_NOT_FOUND" });
    expect(await create({ model: "models/blendshape-au" })).toMatchObject({ reason: "BUILT_IN_MODEL" });
    expect(await create({ model: "no model" })).toMatchObject({ fields: ["fine_tune.model"] });
    expect((await createClient(JobService, server.grpc).listJobs({})).jobs).toEqual([]);
  });
  it("refuse what is not there", async () => {
    const jobs = createClient(JobService, server.connect);
    expect(await failureOf(jobs.getJob({ name: "jobs/none" }))).toMatchObject({ reason: "JOB_NOT_FOUND" });
    expect(await failureOf(jobs.cancelJob({ name: "jobs/none" }))).toMatchObject({ code: "NotFound" });
    const watch = async () => {
      for await (const _ of jobs.watchJob({ name: "jobs/none" }));
    };
    expect(await failureOf(watch())).toMatchObject({ reason: "JOB_NOT_FOUND" });
    const evaluator = createClient(EvaluatorService, server.grpc);
    expect(await failureOf(evaluator.getReport({ name: "evaluations/none" }))).toMatchObject({ code: "NotFound" });
    const evaluation = evaluator.createEvaluation({ modelVersion: "models/none@live", dataset: "datasets/tiny" });
    expect(await failureOf(evaluation)).toMatchObject({ reason: "ALIAS_NOT_FOUND" });
    const alias = createClient(ModelService, server.grpc).setAlias({
      name: "models/default@live",
      version: "models/none/versions/1",
    });
    expect(await failureOf(alias)).toMatchObject({ reason: "MODEL_VERSION_NOT_FOUND" });
  });
});

describe("the server", () => {
  it("has stayed healthy", async () => {
    const { status } = await createClient(Health, server.grpc).check({ service: "duchenne.v1.DetectorService" });
    expect(status).toBe(1);
    expect(server.log()).not.toContain('"level":"error"');
  });
});
