import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDuchenneClient, type DuchenneClient, waitForJob } from "@duchenne/client";
import { DatasetProtocol } from "@duchenne/proto";
import { FFMPEG, writeClip } from "@duchenne/video/test-videos";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { duchenneCommand } from "./duchenne-command.ts";
import { failureOf } from "./failure-of.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;
let imports: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  imports = join(folder.path, "data", "import");
  const programs = join(folder.path, "programs");
  await mkdir(programs);
  await symlink(FFMPEG, join(programs, "ffmpeg"));
  server = await startServer("standalone", join(folder.path, "data"), {
    env: { PATH: `${programs}:${process.env.PATH}` },
  });
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
});
afterAll(async () => {
  client.close();
  await server.end();
  await folder[Symbol.asyncDispose]();
});

async function picture(path: string, width: number, height: number, shade: number): Promise<void> {
  const background = { r: shade, g: 255 - shade, b: 128 };
  await sharp({ create: { width, height, channels: 3, background } }).toFile(path);
}

it("a folder of pictures and a clip becomes a data set of images, which a pretraining takes", async () => {
  const wild = join(imports, "wild", "more");
  await mkdir(wild, { recursive: true });
  for (let i = 0; i < 8; i++) await picture(join(wild, `${i}.${i % 2 ? "png" : "jpg"}`), 240 + i, 260, 20 * i);
  await copyFile(join(wild, "0.jpg"), join(imports, "wild", "same.jpg"));
  await picture(join(wild, "small.jpg"), 100, 260, 7);
  await picture(join(wild, "wide.jpg"), 500, 260, 7);
  await writeFile(join(wild, "text.jpg"), "a text");
  // Two and a half seconds: three frames.
  await writeClip(join(wild, "clip.mp4"), { frames: 25, rateHz: 10, size: "320x240" });

  const curated = await duchenneCommand(server, "datasets", "curate", "wild", "wild", "--description", "found");
  expect(curated.stderr).toMatch(
    /files +13\n {2}of them videos +1\nimages kept +11\n {2}as they were +0\nleft out +4\n/,
  );
  expect(curated.stderr).toMatch(
    /too small +1\n {2}too elongated +1\n.*\n {2}undecodable +0\n {2}not an image +1\n {2}duplicate +1\n/,
  );
  expect(curated).toMatchObject({ code: 0, stdout: "datasets/wild\n" });

  const dataset = await client.datasets.getDataset({ name: "datasets/wild" });
  const { protocol, frames, subjects, description } = dataset;
  expect({ protocol, frames, subjects, description }).toEqual({
    protocol: DatasetProtocol.IMAGES,
    frames: 11,
    subjects: 0,
    description: "found",
  });
  const report = join(dataset.directory, "curation.jsonl");
  expect(curated.stderr).toContain(report);
  const lines = (await readFile(report, "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).kind).filter((kind) => kind === "kept")).toHaveLength(11);

  const value = {
    dataset: "datasets/wild",
    model: "models/pretrained",
    encoder: { variant: "micro", imageSize: 32, patchSize: 16 },
    optimization: { epochs: 1, warmupEpochs: 0.5, batchSize: 4 },
  };
  const { name } = await client.trainer.createTrainingJob({ training: { case: "pretrain", value } });
  expect((await waitForJob(client, name)).result).toMatchObject({ modelVersion: "models/pretrained/versions/1" });

  // What is taken is told before a job is made.
  const again = client.datasets.curateDataset({ datasetId: "wild", directory: "wild" });
  expect(await failureOf(again)).toMatchObject({ code: "AlreadyExists", reason: "DATASET_EXISTS" });
});

it("a curation is checked without being made, as what it would be", async () => {
  await mkdir(join(imports, "some"), { recursive: true });
  const options = ["--min-side", "64", "--max-aspect-ratio", "2", "--size", "96", "--frames-per-second", "0.5"];
  const checked = await duchenneCommand(
    server,
    "datasets",
    "curate",
    "some",
    "some",
    ...options,
    "--keep-duplicates",
    "--license",
    "CC-BY-4.0",
    "--dry-run",
  );
  expect(checked.code).toBe(0);
  expect(JSON.parse(checked.stdout)).toEqual({
    dataset: "datasets/some",
    directory: join(imports, "some"),
    description: "",
    license: "CC-BY-4.0",
    curation: { minSide: 64, maxAspectRatio: 2, size: 96, videoFramesPerSecond: 0.5, excludeDuplicates: false },
  });
  expect((await client.jobs.listJobs({})).jobs.map(({ displayName }) => displayName)).not.toContain("Curation of some");
  const bad = { datasetId: "some", directory: "some", maxAspectRatio: 0.5, size: 8 };
  expect((await failureOf(client.datasets.curateDataset(bad))).fields).toEqual(["max_aspect_ratio", "size"]);
});

it("a curation of which nothing is left fails once, and says why", async () => {
  const tiny = join(imports, "tiny");
  await mkdir(tiny, { recursive: true });
  for (const i of [1, 2]) await picture(join(tiny, `${i}.jpg`), 64, 64, i);
  const run = await duchenneCommand(server, "datasets", "curate", "tiny", "tiny");
  expect(run).toMatchObject({ code: 1, stdout: "" });
  expect(run.stderr).toContain("of 2 files none is left: 2 too small");
  const job = (await client.jobs.listJobs({})).jobs.find(({ displayName }) => displayName === "Curation of tiny");
  expect(job).toMatchObject({ attempt: 1, error: { code: "failed_precondition", reason: "NO_IMAGES_LEFT" } });
  expect((await readdir(join(folder.path, "data", "datasets"))).filter((name) => name.includes("tiny"))).toEqual([]);
});
