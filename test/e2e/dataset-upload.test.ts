import { createHash } from "node:crypto";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createClient } from "@connectrpc/connect";
import { archiveFile, archiveOfFolder, createDuchenneClient, uploadDataset } from "@duchenne/client";
import { DatasetProtocol, DatasetService } from "@duchenne/proto";
import { zipSync } from "fflate";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duchenneCommand } from "./duchenne-command.ts";
import { failureOf } from "./failure-of.ts";
import { grayImage } from "./photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

const MAX_DATASET_BYTES = 20 * 2 ** 20;
const start = (path: string) =>
  startServer("trainer", path, { args: ["--max-dataset-bytes", String(MAX_DATASET_BYTES)] });

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
/** A data set of some chunks, below the server's import folder so that it can be registered as well. */
let faces: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  faces = join(folder.path, "import", "faces");
  await mkdir(join(faces, "images"), { recursive: true });
  const lines: object[] = [];
  for (let i = 0; i < 5; i++) {
    const noise = { type: "gaussian", mean: 100 + i, sigma: 40 } as const;
    const image = sharp({ create: { width: 640, height: 480, channels: 3, background: "gray", noise } });
    await image.png().toFile(join(faces, "images", `${i}.png`));
    lines.push({ image: `images/${i}.png`, subject: `s${i}`, actionUnits: { 1: i, 12: 5 - i } });
  }
  await writeManifest(faces, lines);
  server = await start(folder.path);
});
afterAll(async () => {
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const datasets = () => createClient(DatasetService, server.grpc);
const dataset = { name: "faces", actionUnits: [1, 12] };

async function writeManifest(directory: string, lines: readonly object[]): Promise<void> {
  await writeFile(join(directory, "dataset.json"), JSON.stringify(dataset));
  await writeFile(join(directory, "manifest.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
}

async function withClient<T>(work: (client: ReturnType<typeof createDuchenneClient>) => Promise<T>): Promise<T> {
  const client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Sends so many chunks of a folder, and then nothing more, as a program that is killed. */
async function interrupted(datasetId: string, chunks: number): Promise<void> {
  const stopping = new AbortController();
  let told = 0;
  const archive = await archiveOfFolder(faces);
  const onProgress = () => {
    if (told++ === chunks) stopping.abort();
  };
  const upload = withClient((client) =>
    uploadDataset(client, archive, { datasetId }, { signal: stopping.signal, onProgress }),
  );
  await expect(upload).rejects.toThrow();
}

const digestOfFolder = async () =>
  (await datasets().registerDataset({ datasetId: "check", directory: "faces", validateOnly: true })).digest;

/** Begins an upload of bytes and sends them all. */
async function sent(datasetId: string, bytes: Uint8Array, options: object = {}) {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const size = { sizeBytes: BigInt(bytes.length), sha256 };
  const { name } = await datasets().createDatasetUpload({ datasetId, ...size, ...options });
  if (bytes.length > 0) await datasets().writeDatasetUpload({ name, offset: 0n, chunk: bytes });
  return name;
}

/** Nothing is left of an upload: no data set, no files. */
async function expectNothingLeft(datasetId: string): Promise<void> {
  expect(await failureOf(datasets().getDataset({ name: `datasets/${datasetId}` }))).toMatchObject({ code: "NotFound" });
  expect(await failureOf(datasets().getDatasetUpload({ name: `datasetUploads/${datasetId}` }))).toMatchObject({
    reason: "DATASET_UPLOAD_NOT_FOUND",
  });
  const unpacked = await readdir(join(folder.path, "import", "uploaded")).catch(() => []);
  expect(unpacked.filter((name) => name.startsWith(`${datasetId}-`))).toEqual([]);
  expect(await readdir(join(folder.path, "uploads"))).not.toContain(datasetId);
}

describe("an upload", () => {
  it("that was interrupted goes on where it was and has the digest of the folder", async () => {
    await interrupted("resumed", 2);
    const before = await datasets().getDatasetUpload({ name: "datasetUploads/resumed" });
    expect(Number(before.committedBytes)).toBeGreaterThanOrEqual(2 * 2 ** 20);
    expect(before.committedBytes).toBeLessThan(before.sizeBytes);
    const progress: number[] = [];
    const made = await withClient(async (client) =>
      uploadDataset(
        client,
        await archiveOfFolder(faces),
        { datasetId: "resumed" },
        { onProgress: (n) => progress.push(n) },
      ),
    );
    expect(progress[0]).toBe(Number(before.committedBytes));
    expect(progress.at(-1)).toBe(Number(before.sizeBytes));
    expect(made).toMatchObject({ name: "datasets/resumed", frames: 5, subjects: 5, digest: await digestOfFolder() });
    expect(await datasets().getDataset({ name: "datasets/resumed" })).toEqual(made);
    expect(await readdir(join(folder.path, "uploads"))).toEqual([]);
    // An answer that was lost can be asked for again.
    expect(await datasets().finishDatasetUpload({ name: "datasetUploads/resumed" })).toEqual(made);
  });

  it("survives a kill -9 of the server in its middle", async () => {
    await interrupted("killed", 3);
    const { committedBytes } = await datasets().getDatasetUpload({ name: "datasetUploads/killed" });
    // A chunk is under way while the server is killed: it may be there in part, or all of it.
    const archive = await archiveOfFolder(faces);
    const rest = await buffer(archive.read(Number(committedBytes)));
    const lost = datasets()
      .writeDatasetUpload({
        name: "datasetUploads/killed",
        offset: committedBytes,
        chunk: rest.subarray(0, 2 ** 20),
      })
      .catch(() => undefined);
    await server.end("SIGKILL");
    await lost;
    server = await start(folder.path);
    const after = await datasets().getDatasetUpload({ name: "datasetUploads/killed" });
    expect(after.committedBytes).toBeGreaterThanOrEqual(3n * 2n ** 20n);
    const made = await withClient((client) => uploadDataset(client, archive, { datasetId: "killed" }));
    expect(made.digest).toBe(await digestOfFolder());
  });

  it("that two servers of one folder finish at once becomes one data set", async () => {
    const second = await start(folder.path);
    try {
      const archive = await buffer((await archiveOfFolder(faces)).read(0));
      const name = await sent("both", archive);
      const servers = [datasets(), createClient(DatasetService, second.grpc)];
      const made = await Promise.all(servers.map((each) => each.finishDatasetUpload({ name })));
      expect(made[1]).toEqual(made[0]);
      expect(made[0]!.digest).toBe(await digestOfFolder());
      const { directory } = made[0]!;
      expect(await readdir(join(directory, "images"))).toHaveLength(5);
    } finally {
      await second.end();
    }
  });

  it("is waited with while its server starts again", async () => {
    const { grpcPort } = server;
    const archive = await archiveOfFolder(faces);
    let restarted: Promise<void> | undefined;
    const restart = async () => {
      await server.end("SIGKILL");
      server = await startServer("trainer", folder.path, { args: ["--grpc-port", String(grpcPort)] });
    };
    const onProgress = (committedBytes: number) => {
      if (committedBytes > 0 && restarted === undefined) restarted = restart();
    };
    const patience = { onProgress, reconnectMs: 200_000 };
    const made = await withClient((client) => uploadDataset(client, archive, { datasetId: "patient" }, patience));
    await restarted;
    expect(made.digest).toBe(await digestOfFolder());
    await server.end();
    server = await start(folder.path);
  });

  it("refuses a chunk at a wrong offset with the right one, and takes it there", async () => {
    const bytes = Buffer.from("not a zip, but of some length");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const begun = { datasetId: "offsets", sizeBytes: BigInt(bytes.length), sha256 };
    const { name } = await datasets().createDatasetUpload(begun);
    const write = (offset: bigint, chunk: Uint8Array) => datasets().writeDatasetUpload({ name, offset, chunk });
    expect((await write(0n, bytes.subarray(0, 10))).committedBytes).toBe(10n);
    for (const offset of [0n, 9n, 11n, 2n ** 60n]) {
      expect(await failureOf(write(offset, bytes.subarray(0, 5)))).toMatchObject({
        code: "FailedPrecondition",
        reason: "UPLOAD_OFFSET_MISMATCH",
        metadata: { committedBytes: "10" },
      });
    }
    expect(await failureOf(datasets().finishDatasetUpload({ name }))).toMatchObject({
      code: "FailedPrecondition",
      reason: "UPLOAD_INCOMPLETE",
      metadata: { committedBytes: "10" },
    });
    expect(await failureOf(write(10n, new Uint8Array(bytes.length)))).toMatchObject({ reason: "UPLOAD_TOO_LONG" });
    expect(await failureOf(write(10n, new Uint8Array()))).toMatchObject({ fields: ["chunk"] });
    // Of two chunks for one place, one is taken.
    const [one, other] = await Promise.allSettled([write(10n, bytes.subarray(10)), write(10n, bytes.subarray(10))]);
    expect([one?.status, other?.status].sort()).toEqual(["fulfilled", "rejected"]);
    // The same request answers it, another one does not.
    expect((await datasets().createDatasetUpload(begun)).committedBytes).toBe(BigInt(bytes.length));
    const others = { ...begun, protocol: DatasetProtocol.IMAGES };
    expect(await failureOf(datasets().createDatasetUpload(others))).toMatchObject({ reason: "UPLOAD_DIFFERS" });
    await datasets().deleteDatasetUpload({ name });
    await expectNothingLeft("offsets");
    expect(await failureOf(datasets().deleteDatasetUpload({ name }))).toMatchObject({ code: "NotFound" });
  });

  it("of another digest, of a hostile archive, or of bad labels leaves nothing", async () => {
    const finish = (name: string) => failureOf(datasets().finishDatasetUpload({ name }));
    const image = await grayImage(32, 32);
    const good = zipSync({ "dataset.json": Buffer.from(JSON.stringify(dataset)), "a.png": image });
    expect(await finish(await sent("wrong", good, { sha256: "0".repeat(64) }))).toMatchObject({
      reason: "UPLOAD_MISMATCH",
      fields: ["sha256"],
    });
    await expectNothingLeft("wrong");

    expect(await finish(await sent("slip", zipSync({ "../../evil.txt": image })))).toMatchObject({
      reason: "INVALID_ARCHIVE",
    });
    await expectNothingLeft("slip");
    const bomb = zipSync({ "zeros.png": new Uint8Array(MAX_DATASET_BYTES + 1) }, { level: 9 });
    expect(bomb.length).toBeLessThan(100_000);
    expect(await finish(await sent("bomb", bomb))).toMatchObject({
      reason: "INVALID_ARCHIVE",
      fields: ["archive:zeros.png"],
    });
    await expectNothingLeft("bomb");

    const manifest = ["a.png", "gone.png"].map((name, i) =>
      JSON.stringify({ image: name, subject: "s", actionUnits: { [i === 0 ? 99 : 1]: 1 } }),
    );
    const bad = zipSync({
      "set/dataset.json": Buffer.from(JSON.stringify(dataset)),
      "set/manifest.jsonl": Buffer.from(manifest.join("\n")),
      "set/a.png": image,
    });
    const failure = await finish(await sent("labels", bad, { directory: "set" }));
    expect(failure).toMatchObject({ code: "InvalidArgument", reason: "INVALID_MANIFEST" });
    expect(failure.fields).toEqual(
      expect.arrayContaining(["manifest.jsonl:1:actionUnits.99", "manifest.jsonl:2:image"]),
    );
    await expectNothingLeft("labels");
    expect(await readdir(folder.path)).not.toContain("evil.txt");
  });

  it("is refused when it is begun: a taken id, too much, places outside of the archive", async () => {
    const begin = (more: object) =>
      failureOf(datasets().createDatasetUpload({ datasetId: "never", sizeBytes: 5n, sha256: "0".repeat(64), ...more }));
    expect(await begin({ datasetId: "resumed" })).toMatchObject({ reason: "DATASET_EXISTS" });
    expect(await begin({ sizeBytes: BigInt(MAX_DATASET_BYTES + 1) })).toMatchObject({ reason: "UPLOAD_TOO_LARGE" });
    expect(await begin({ sizeBytes: 0n })).toMatchObject({ fields: ["size_bytes"] });
    expect(await begin({ sha256: "abc" })).toMatchObject({ fields: ["sha256"] });
    for (const outside of ["..", "../x", "/etc", "a/../../x"]) {
      expect(await begin({ directory: outside })).toMatchObject({
        reason: "OUTSIDE_OF_ARCHIVE",
        fields: ["directory"],
      });
      expect(await begin({ labelFiles: ["ok.json", outside] })).toMatchObject({ fields: ["label_files[1]"] });
    }
    await expectNothingLeft("never");
  });

  it("of a published set takes label files beside its folder", async () => {
    const lines = [{ img_path: "2F01_T1/frame_1.jpg", AUs: [1, 12] }];
    const bytes = zipSync({
      "images/2F01_T1/frame_1.jpg": await sharp(await grayImage(32, 32))
        .jpeg()
        .toBuffer(),
      "labels/all.json": Buffer.from(lines.map((line) => JSON.stringify(line)).join("\n")),
    });
    const options = { protocol: DatasetProtocol.BP4D, directory: "images", labelFiles: ["../labels/all.json"] };
    const made = await datasets().finishDatasetUpload({ name: await sent("bp4d", bytes, options) });
    expect(made).toMatchObject({ frames: 1, subjects: 1, protocol: DatasetProtocol.BP4D });
    expect(made.labelFiles[0]).toMatch(/labels\/all\.json$/);
  });

  it("to which nothing was added for a week is removed", async () => {
    for (const id of ["old", "young"]) {
      const { expireTime } = await datasets().createDatasetUpload({
        datasetId: id,
        sizeBytes: 5n,
        sha256: "0".repeat(64),
      });
      expect(Number(expireTime!.seconds) - Date.now() / 1000).toBeGreaterThan(6.9 * 86_400);
    }
    await server.end();
    const days = 8 * 86_400_000;
    const past = new Date(Date.now() - days);
    await utimes(join(folder.path, "uploads", "old", "archive"), past, past);
    server = await start(folder.path);
    await expect
      .poll(() => readdir(join(folder.path, "uploads")), { timeout: 20_000 })
      .toEqual(expect.not.arrayContaining(["old"]));
    await expectNothingLeft("old");
    const young = await datasets().getDatasetUpload({ name: "datasetUploads/young" });
    expect(young.committedBytes).toBe(0n);
    await datasets().deleteDatasetUpload({ name: young.name });
  });
});

describe("duchenne datasets upload", () => {
  it("resumes what another program began, and says so", async () => {
    await interrupted("command", 2);
    const { code, stdout, stderr } = await duchenneCommand(server, "datasets", "upload", "command", faces);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "datasets/command: 5 subjects, 5 frames\n" });
    expect(stderr).toMatch(/^command +\d+ % {2}[23]\.\d of \d\.\d MiB\n/);
    expect(stderr).toMatch(/command +100 % /);
    expect((await datasets().getDataset({ name: "datasets/command" })).digest).toBe(await digestOfFolder());
  });

  it("takes an archive, and tells the problems of its labels with their lines", async () => {
    const path = join(folder.path, "bad.zip");
    const manifest = JSON.stringify({ image: "gone.png", subject: "s", actionUnits: { 1: 1 } });
    await writeFile(
      path,
      zipSync({
        "dataset.json": Buffer.from(JSON.stringify(dataset)),
        "manifest.jsonl": Buffer.from(manifest),
      }),
    );
    expect((await archiveFile(path)).sizeBytes).toBeGreaterThan(0);
    const { code, stderr } = await duchenneCommand(server, "datasets", "upload", "bad", path);
    expect(code).not.toBe(0);
    expect(stderr).toContain("manifest.jsonl:1:image");
    await expectNothingLeft("bad");
  });
});
