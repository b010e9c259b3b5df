import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createDuchenneClient, type DuchenneClient, exportModel, importModel, waitForJob } from "@duchenne/client";
import { ACTION_UNIT_PROTOCOLS } from "@duchenne/data";
import { readSafetensors } from "@duchenne/model";
import { DatasetProtocol, ExportFormat, type ImportModelRequest, ModelService } from "@duchenne/proto";
import { zipSync } from "fflate";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf } from "./failure-of.ts";
import { createMessageQueue } from "./message-queue.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

const MAX_IMPORT_BYTES = 200_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer("standalone", join(folder.path, "data"), {
    args: ["--max-import-bytes", String(MAX_IMPORT_BYTES)],
  });
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const fixture = (name: string) => fileURLToPath(new URL(`../reference/fixtures/weights/${name}`, import.meta.url));
/** Files of uploads, converted or not. */
const leftOvers = () => readdir(join(folder.path, "data", "imports"));
/** Stored files, but for the folders that hold them. */
async function blobs(): Promise<string[]> {
  const entries = await readdir(join(folder.path, "data", "blobs"), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe("an imported detector", () => {
  it("is read, described, exported, promoted and served", async () => {
    const { modelVersion, report } = await importModel(client, fixture("detector-1.8.pth"), {
      model: "models/published",
      protocol: DatasetProtocol.BP4D,
      heads: 3,
      subjects: ["F01", "F02", "F03", "M01", "M02"],
      licenseNote: "CC BY-NC 4.0",
      keepOptimizer: true,
    });
    expect(report).toMatchObject({ missing: [], unexpected: [], reshaped: [], ignored: [], notes: [] });
    expect(modelVersion).toMatchObject({ name: "models/published/versions/1", kind: "vit", job: "" });
    expect(modelVersion!.actionUnits.map(({ actionUnit }) => actionUnit)).toEqual(
      ACTION_UNIT_PROTOCOLS.bp4d.actionUnits,
    );
    expect(modelVersion!.files.map(({ role }) => role)).toEqual(["safetensors", "onnx", "optimizer", "card"]);
    const card = JSON.parse((await client.models.getModelVersion({ name: modelVersion!.name })).cardJson);
    expect(card).toMatchObject({
      boxConvention: "face-alignment+5%",
      config: { variant: "custom", dim: 12, depth: 2, heads: 3, numSubjects: 5, dropPath: 0.2 },
      imported: { fileName: "detector-1.8.pth", format: "pth", epoch: 19, licenseNote: "CC BY-NC 4.0" },
    });
    expect(card.imported.subjects).toEqual(["F01", "F02", "F03", "M01", "M02"]);
    expect(card.imported.trainingArguments).toMatchObject({ drop_path: 0.2, model: "vit_large_patch16" });
    expect(JSON.stringify(card)).not.toContain("/home/");

    const output = join(folder.path, "exported");
    const safetensors = await exportModel(
      client,
      { name: modelVersion!.name, format: ExportFormat.SAFETENSORS },
      output,
    );
    expect(safetensors).toBe(join(output, "published-1.safetensors"));
    const { parameters } = readSafetensors(await readFile(safetensors));
    const expected = readSafetensors(await readFile(fixture("expected.safetensors"))).parameters;
    for (const [name, value] of parameters) expect(value, name).toEqual(expected.get(`detector.${name}`));
    const optimizer = await exportModel(client, { name: modelVersion!.name, format: ExportFormat.OPTIMIZER }, output);
    const moments = readSafetensors(await readFile(optimizer));
    expect(moments.metadata).toEqual({ optimizerStep: "2" });
    expect(moments.parameters.get("optimizer.first.head.bias")!.data).toEqual(
      expected.get("detector.first.head.bias")!.data,
    );

    const alias = await client.models.setAlias({ name: "models/default@live", version: modelVersion!.name });
    expect(alias.version).toBe(modelVersion!.name);
    const image = await sharp({ create: { width: 16, height: 16, channels: 3, background: "#a87" } })
      .png()
      .toBuffer();
    const { faces, model } = await client.detector.detectFaces({ image, imageIsCrop: true });
    expect(model?.name).toBe(modelVersion!.name);
    expect(faces[0]!.scores.map(({ actionUnit }) => actionUnit)).toEqual(ACTION_UNIT_PROTOCOLS.bp4d.actionUnits);
    for (const { threshold } of faces[0]!.scores) expect(threshold).toBe(0.5);

    // What was exported can be imported again.
    const again = await importModel(client, safetensors, {
      model: "models/published",
      protocol: DatasetProtocol.BP4D,
      heads: 3,
    });
    expect(again.modelVersion!.name).toBe("models/published/versions/2");
    expect(
      await readFile(await exportModel(client, { name: again.modelVersion!.name, format: ExportFormat.ONNX }, output)),
    ).not.toHaveLength(0);
    expect(await leftOvers()).toEqual([]);
  });

  it("is one version, however often the import is repeated after a lost answer", async () => {
    const options = { requestId: "3f0c9b52-7f0e-4a27-8f5b-6a1f0a3f9c01", model: "models/repeated", heads: 3 };
    const ask = (more: object = {}, file = "detector.pth") =>
      importModel(client, fixture(file), { ...options, protocol: DatasetProtocol.BP4D, ...more });
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(second).toEqual(first);
    expect(await ask()).toEqual(first);
    const listed = async () => (await client.models.listModelVersions({ parent: options.model })).modelVersions;
    expect(await listed()).toEqual([first!.modelVersion]);
    const reused = { code: "AlreadyExists", reason: "REQUEST_ID_REUSED" };
    expect(await failureOf(ask({ licenseNote: "Another" }))).toMatchObject(reused);
    expect(await failureOf(ask({}, "detector-1.8.pth"))).toMatchObject(reused);
    await client.models.deleteModelVersion({ name: first!.modelVersion!.name });
    expect(await failureOf(ask())).toMatchObject({ code: "NotFound", reason: "MODEL_VERSION_NOT_FOUND" });
    expect(await listed()).toEqual([]);
    expect((await ask({ requestId: "" })).modelVersion!.name).toBe("models/repeated/versions/2");
  });
});

describe("imported weights that are no detector", () => {
  it("are versions to train from, with aliases of their own, and are not served", async () => {
    const mae = await importModel(client, fixture("mae.pth"), {
      model: "models/pretrained",
      heads: 3,
      decoderHeads: 2,
    });
    expect(mae.modelVersion).toMatchObject({ name: "models/pretrained/versions/1", kind: "mae", actionUnits: [] });
    expect(mae.modelVersion!.files.map(({ role }) => role)).toEqual(["safetensors", "card"]);
    const raf = await importModel(client, fixture("classifier.pth"), {
      model: "models/raf",
      protocol: DatasetProtocol.RAF_DB,
      heads: 3,
    });
    const { config } = JSON.parse(raf.modelVersion!.cardJson);
    expect(config.expressions).toEqual(["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]);
    expect(raf.modelVersion).toMatchObject({ kind: "vit-expression", actionUnits: [] });
    expect(raf.report!.ignored.map(({ name }) => name)).toEqual(["head.weight", "head.bias"]);
    for (const { name: version } of [mae.modelVersion!, raf.modelVersion!]) {
      const [model] = version.split("/versions/");
      const promote = await failureOf(client.models.setAlias({ name: "models/default@canary", version }));
      expect(promote).toMatchObject({ code: "FailedPrecondition", reason: "NOT_A_DETECTOR" });
      expect(promote.text).toContain(`Use an alias of another model, such as ${model}@canary`);
      const name = `${model}@live`;
      expect(await client.models.setAlias({ name, version })).toMatchObject({ name, version, etag: "1" });
      for (const asked of [name, version]) {
        const detection = failureOf(client.detector.detectFaces({ model: asked, image: new Uint8Array([1]) }));
        expect(await detection).toMatchObject({ code: "FailedPrecondition", reason: "NOT_A_DETECTOR" });
      }
    }
    const onnx = exportModel(client, { name: mae.modelVersion!.name, format: ExportFormat.ONNX }, folder.path);
    const failure = await failureOf(onnx);
    expect(failure).toMatchObject({ code: "FailedPrecondition", reason: "FILE_NOT_IN_VERSION" });
    expect(failure.text).toContain('Expected a file "onnx" of models/pretrained/versions/1, it has safetensors, card');
  });
});

describe("an alias", () => {
  const [mae, raf] = ["models/pretrained/versions/1", "models/raf/versions/1"];
  const name = "models/kept@live";
  const set = (version: string, etag = "") => client.models.setAlias({ name, version, etag });

  it("keeps the kind of model that it points at, until it is deleted", async () => {
    const { etag } = await set(mae);
    for (const version of [raf, "models/blendshape-au/versions/1"]) {
      const moved = await failureOf(set(version));
      expect(moved).toMatchObject({ code: "FailedPrecondition", reason: "ALIAS_KIND_DIFFERS" });
      expect(moved.text).toContain(
        `Expected a masked autoencoder for ${name}, which points at ${mae}, ${version} is an`,
      );
      expect(moved.text).toContain(`delete ${name} first`);
    }
    // That it moved is told before what it is.
    expect(await failureOf(set(raf, "0"))).toMatchObject({ code: "Aborted", reason: "ALIAS_MOVED" });
    expect((await client.models.getModelVersion({ name })).name).toBe(mae);
    const deleted = (alias: object) => failureOf(client.models.deleteAlias({ name, ...alias }));
    expect(await deleted({ etag: "7" })).toMatchObject({ code: "Aborted", reason: "ALIAS_MOVED" });
    expect(await deleted({ name: "models/kept" })).toMatchObject({ code: "InvalidArgument", fields: ["name"] });
    await client.models.deleteAlias({ name, etag });
    expect(await deleted({})).toMatchObject({ code: "NotFound", reason: "ALIAS_NOT_FOUND" });
    expect((await set(raf)).etag).toBe("3");
    const { aliasMoves } = await client.models.listAliasMoves({ parent: name });
    expect(aliasMoves.map(({ version, etag }) => [version, etag])).toEqual([
      [raf, "3"],
      ["", "2"],
      [mae, "1"],
    ]);
    await client.models.deleteAlias({ name });
  });

  it("that is asked for by several at once gets one kind", async () => {
    const asked = [mae, raf, mae, raf, mae, raf];
    const moves = await Promise.allSettled(asked.map((version) => set(version)));
    const versions = moves.flatMap((move) => (move.status === "fulfilled" ? [move.value.version] : []));
    expect(new Set(versions).size).toBe(1);
    expect(versions.length).toBe(3);
  });
});

it("a fine-tune starts from an alias of a pretraining that was imported over Connect", async () => {
  const bytes = new Uint8Array(await readFile(fixture("mae.pth")));
  async function* requests() {
    const options = { model: "models/start", fileName: "mae.pth", heads: 3, decoderHeads: 2 };
    yield { message: { case: "options" as const, value: options } };
    yield { message: { case: "chunk" as const, value: bytes } };
  }
  const { modelVersion } = await createClient(ModelService, server.connect).importModel(requests());
  const alias = { name: "models/start@live", version: modelVersion!.name };
  await client.models.setAlias(alias);
  const synthesis = { datasetId: "faces", subjects: 4, framesPerSubject: 12, imageSize: 64 };
  const { name: synthesizing } = await client.datasets.synthesizeDataset(synthesis);
  await waitForJob(client, synthesizing);
  const { name } = await client.trainer.createTrainingJob({
    training: {
      case: "fineTune",
      value: {
        dataset: "datasets/faces",
        model: "models/started",
        encoder: { initialModelVersion: alias.name },
        optimization: { batchSize: 8, epochs: 1, warmupEpochs: 0 },
      },
    },
  });
  expect((await waitForJob(client, name)).result).toMatchObject({ modelVersion: "models/started/versions/1" });
  const trained = await client.models.getModelVersion({ name: "models/started/versions/1" });
  expect(JSON.parse(trained.cardJson)).toMatchObject({
    config: { kind: "vit", variant: "custom", imageSize: 16, dim: 12, depth: 2, heads: 3 },
    lineage: { initialModelVersion: modelVersion!.name },
  });
});

describe("bad imports", () => {
  const options = { model: "models/bad", fileName: "bad.pth", heads: 3, protocol: DatasetProtocol.BP4D };
  type Message = ImportModelRequest["message"];
  const upload = (...messages: { case: "options" | "chunk"; value: unknown }[]) => {
    async function* requests() {
      for (const message of messages) yield { message: message as Message };
    }
    return failureOf(client.models.importModel(requests()));
  };
  const told = (value: object = {}) => ({ case: "options" as const, value: { ...options, ...value } });
  const chunk = (value: Uint8Array) => ({ case: "chunk" as const, value });
  const archive = (pickle: string) =>
    chunk(zipSync({ "archive/data.pkl": Buffer.from(`\x80\x02${pickle}`, "latin1") }, { level: 0 }));

  it("are refused with what is wrong, and leave nothing", async () => {
    const good = await readFile(fixture("detector.pth"));
    const before = { blobs: (await blobs()).sort(), models: (await client.models.listModels({})).models.length };

    expect(await upload(told(), archive("cos\nsystem\n(X\x02\x00\x00\x00idtR."))).toMatchObject({
      code: "InvalidArgument",
      reason: "UNSAFE_PICKLE",
      text: expect.stringContaining('"os.system"'),
    });
    expect(await upload(told(), archive("}"))).toMatchObject({ reason: "INVALID_PTH" });
    expect(await upload(told(), chunk(good.subarray(0, 50_000)))).toMatchObject({ reason: "INVALID_PTH" });
    expect(await upload(told(), chunk(Buffer.from("hello")))).toMatchObject({ reason: "UNKNOWN_WEIGHT_FORMAT" });
    expect(await upload(told(), chunk(await readFile(fixture("legacy.pth"))))).toMatchObject({ reason: "LEGACY_PTH" });
    const invalid = "InvalidArgument";
    expect(await upload(told({ sizeBytes: 7n }), chunk(good))).toMatchObject({
      code: invalid,
      reason: "UPLOAD_MISMATCH",
      fields: ["options.size_bytes"],
    });
    const sha256 = createHash("sha256").update("another").digest("hex");
    expect(await upload(told({ sha256 }), chunk(good))).toMatchObject({
      reason: "UPLOAD_MISMATCH",
      fields: ["options.sha256"],
    });
    const large = { code: "ResourceExhausted", reason: "UPLOAD_TOO_LARGE" };
    expect(await upload(told({ sizeBytes: 10n ** 12n }))).toMatchObject(large);
    expect(await upload(told(), chunk(good), chunk(good), chunk(good))).toMatchObject(large);

    const order = { code: invalid, reason: "INVALID_STREAM_ORDER" };
    expect(await upload()).toMatchObject(order);
    expect(await upload(chunk(good))).toMatchObject(order);
    expect(await upload(told())).toMatchObject(order);
    expect(await upload(told(), told())).toMatchObject(order);
    expect(await upload(told(), chunk(good), told())).toMatchObject(order);
    expect(await upload(told(), chunk(new Uint8Array()))).toMatchObject({
      reason: "INVALID_REQUEST",
      fields: ["chunk"],
    });

    const mismatch = { code: invalid, reason: "IMPORT_OPTIONS_MISMATCH" };
    const disfa = await upload(told({ protocol: DatasetProtocol.DISFA }), chunk(good));
    expect(disfa).toMatchObject({ ...mismatch, fields: ["options.protocol"] });
    expect(disfa.text).toContain("Expected one for each of the head's 12 outputs, got 8");
    const units = { protocol: DatasetProtocol.UNSPECIFIED, actionUnits: [1, 2] };
    expect(await upload(told(units), chunk(good))).toMatchObject({ ...mismatch, fields: ["options.action_units"] });
    expect(await upload(told({ heads: 0 }), chunk(good))).toMatchObject({ ...mismatch, fields: ["options.heads"] });
    expect(await upload(told({ imageSize: 30 }), chunk(good))).toMatchObject({
      ...mismatch,
      fields: ["options.image_size"],
    });
    expect(await upload(told({ actionUnits: [1] }), chunk(good))).toMatchObject({
      reason: "CONTRADICTING_OUTPUTS",
    });
    expect(await upload(told({ model: "models/blendshape-au" }))).toMatchObject({ reason: "BUILT_IN_MODEL" });
    expect(await upload(told({ model: "nothing" }))).toMatchObject({ fields: ["options.model"] });

    expect(await leftOvers()).toEqual([]);
    expect((await blobs()).sort()).toEqual(before.blobs);
    expect((await client.models.listModels({})).models).toHaveLength(before.models);
  });

  it("that are cancelled leave nothing", async () => {
    const queue = createMessageQueue<{ message: Message }>();
    const cancelling = new AbortController();
    const call = failureOf(client.models.importModel(queue, { signal: cancelling.signal }));
    queue.push({ message: told() as Message });
    queue.push({ message: chunk(new Uint8Array(1000)) as Message });
    await expect.poll(leftOvers).toHaveLength(1);
    cancelling.abort();
    expect(await call).toMatchObject({ code: "Canceled" });
    await expect.poll(leftOvers).toEqual([]);
  });

  it("of exports are refused", async () => {
    const read = async (request: object) => {
      for await (const _ of client.models.exportModel(request));
    };
    const name = "models/none/versions/1";
    expect(await failureOf(read({ name, format: ExportFormat.CARD }))).toMatchObject({
      reason: "MODEL_VERSION_NOT_FOUND",
    });
    expect(await failureOf(read({ name }))).toMatchObject({ reason: "INVALID_REQUEST", fields: ["format"] });
    const builtIn = { name: "models/blendshape-au/versions/1", format: ExportFormat.ONNX };
    expect((await failureOf(read(builtIn))).text).toContain("it has none");
  });

  it("of a stored file that was damaged is told, and nothing of it is written", async () => {
    const { modelVersion } = await importModel(client, fixture("detector-fp16.pth"), {
      model: "models/damaged",
      protocol: DatasetProtocol.BP4D,
      heads: 3,
      displayName: "To be damaged",
    });
    const { digest } = modelVersion!.files.find(({ role }) => role === "card")!;
    const path = join(folder.path, "data", "blobs", digest.slice(0, 2), digest.slice(2));
    const bytes = await readFile(path);
    bytes[10]! ^= 1;
    await writeFile(path, bytes);
    const output = join(folder.path, "damaged");
    const failure = await failureOf(
      exportModel(client, { name: modelVersion!.name, format: ExportFormat.CARD }, output),
    );
    expect(failure).toMatchObject({ code: "DataLoss", reason: "BLOB_DAMAGED" });
    expect(await readdir(output)).toEqual([]);
  });

  it("have left the server healthy", () => {
    expect(server.log()).not.toContain("Unexpected error");
  });
});
