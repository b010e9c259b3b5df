import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { createDuchenneClient, type DuchenneClient, waitForJob, watchJob } from "@duchenne/client";
import { type CurationLine, curationLineSchema } from "@duchenne/data";
import { type JobEvent, JobState } from "@duchenne/proto";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { failureOf } from "./failure-of.ts";
import { type ServerOptions, type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let client: DuchenneClient;
let imports: string;
let bare: string;

/** On a machine without ffmpeg. */
async function start(options: ServerOptions = {}): Promise<void> {
  server = await startServer("trainer", folder.path, { env: { PATH: bare }, ...options });
  client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
}
async function end(signal?: NodeJS.Signals): Promise<void> {
  client.close();
  await server.end(signal);
}
beforeAll(async () => {
  folder = await temporaryFolder();
  imports = join(folder.path, "import");
  bare = join(folder.path, "programs");
  await mkdir(bare);
  await symlink("/bin/bash", join(bare, "bash"));
  await start();
});
afterAll(async () => {
  await end();
  await folder[Symbol.asyncDispose]();
});

const datasets = () => join(folder.path, "datasets");
const foldersOf = async () => (await readdir(datasets()).catch(() => [])).toSorted();

/** What the running attempt of a job has written down so far. */
async function linesSoFar(job: string): Promise<CurationLine[]> {
  const name = (await foldersOf()).find((each) => each.includes(job.slice("jobs/".length)));
  const text =
    name === undefined ? "" : await readFile(join(datasets(), name, "curation.jsonl"), "utf8").catch(() => "");
  // The last one may be half written.
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => curationLineSchema.parse(JSON.parse(line)));
}
async function untilLines(job: string, count: number): Promise<CurationLine[]> {
  for (;;) {
    const lines = await linesSoFar(job);
    if (lines.length >= count) return lines;
    await turn();
  }
}
async function untilState(name: string, state: JobState): Promise<void> {
  while ((await client.jobs.getJob({ name })).state !== state) await turn();
}
/** All files of a data set, with the digests of their bytes. */
async function contentsOf(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = async (file: string) => [file.slice(directory.length), sha256Of(await readFile(file))] as const;
  return Object.fromEntries(await Promise.all(files.toSorted().map(read)));
}
const sha256Of = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const imagesOf = (lines: readonly CurationLine[]) =>
  lines.flatMap((line) => (line.kind === "kept" ? [line.image] : []));

/** Pictures that take a while, each of other bytes. */
async function drawMany(directory: string, count: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  const noise = { type: "gaussian", mean: 128, sigma: 30 } as const;
  const image = sharp({ create: { width: 700, height: 600, channels: 3, background: "#808080", noise } });
  const bytes = await image.jpeg({ quality: 50 }).toBuffer();
  for (let i = 0; i < count; i++)
    await writeFile(join(directory, `${i}.jpg`), Buffer.concat([bytes, Buffer.from(String(i))]));
}

it("a curation that is paused and killed goes on where it was, and ends as one that never stopped", async () => {
  await drawMany(join(imports, "many"), 300);
  const { name } = await client.datasets.curateDataset({ datasetId: "stopped", directory: "many" });
  const paused = await untilLines(name, 20);
  await client.jobs.pauseJob({ name });
  await untilState(name, JobState.PAUSED);
  await client.jobs.resumeJob({ name });
  const killed = await untilLines(name, paused.length + 40);
  expect(killed.length).toBeLessThan(300);
  // Those that are written again can be told.
  const running = (await foldersOf())[0]!;
  expect(running).toMatch(/^\.stopped-.*-2\.curating$/);
  for (const image of imagesOf(killed)) await utimes(join(datasets(), running, image), 1000, 1000);
  await end("SIGKILL");
  await start();

  const events: JobEvent[] = [];
  for await (const event of watchJob(client, name)) events.push(event);
  const job = await client.jobs.getJob({ name });
  expect(job.error?.message).toBeUndefined();
  expect(job).toMatchObject({
    state: JobState.SUCCEEDED,
    attempt: 3,
    result: { sources: 300, kept: 300, asTheyWere: 0 },
  });
  const texts = events.flatMap(({ event }) => (event.case === "log" ? event.value.text : []));
  expect(texts.filter((text) => text.startsWith("Goes on after"))).toHaveLength(2);
  const progress = events.flatMap(({ event }) => (event.case === "progress" ? [event.value] : []));
  expect(progress.at(-1)).toMatchObject({ fraction: 1, step: 300n, totalSteps: 300n, phase: "curating" });
  const metrics = events.flatMap(({ event }) => (event.case === "metrics" ? [event.value.values] : []));
  expect(metrics.at(-1)).toMatchObject({ "curation/kept": 300, "curation/too_small": 0 });

  const made = (await client.datasets.getDataset({ name: "datasets/stopped" })).directory;
  for (const image of imagesOf(killed)) expect((await stat(join(made, image))).mtimeMs, image).toBe(1_000_000);
  const again = await client.datasets.curateDataset({ datasetId: "whole", directory: "many" });
  await waitForJob(client, again.name);
  const whole = await client.datasets.getDataset({ name: "datasets/whole" });
  expect(await contentsOf(made)).toEqual(await contentsOf(whole.directory));
  expect((await foldersOf()).map((each) => each.split("-")[0])).toEqual(["stopped", "whole"]);
}, 180_000);

it("what a cancelled curation has made is removed when the next collection is made", async () => {
  const { name } = await client.datasets.curateDataset({ datasetId: "cancelled", directory: "many" });
  await untilLines(name, 1);
  await client.jobs.cancelJob({ name });
  await untilState(name, JobState.CANCELLED);
  await end();
  await start();
  while ((await foldersOf()).some((each) => each.includes("cancelled"))) await turn();
}, 180_000);

it("a full disk ends a curation and loses nothing of it; it goes on when there is room", async () => {
  const directory = join(imports, "large");
  await drawMany(directory, 40);
  // A JPEG of the right size keeps its bytes, and this one has many.
  const right = await sharp({ create: { width: 224, height: 224, channels: 3, background: "#808080" } })
    .jpeg()
    .toBuffer();
  await writeFile(join(directory, "z.jpg"), Buffer.concat([right, Buffer.alloc(6 * 2 ** 20)]));
  await end();
  await start({ env: { PATH: bare }, args: ["--max-attempts", "1"], maxFileKiB: 5 * 1024 });
  const { name } = await client.datasets.curateDataset({ datasetId: "large", directory: "large" });
  await untilState(name, JobState.FAILED);
  expect((await client.jobs.getJob({ name })).error).toMatchObject({
    code: "resource_exhausted",
    reason: "DISK_FULL",
    message: expect.stringContaining("the data set (EFBIG)"),
  });
  const lines = await linesSoFar(name);
  expect(lines.length).toBeGreaterThan(20);
  const [left] = (await foldersOf()).filter((each) => each.startsWith(".large"));
  for (const image of imagesOf(lines)) await utimes(join(datasets(), left!, image), 1000, 1000);
  await end();
  await start();
  await client.jobs.retryJob({ name });
  expect((await waitForJob(client, name)).result).toMatchObject({ kept: 41, asTheyWere: 1 });
  const { directory: made } = await client.datasets.getDataset({ name: "datasets/large" });
  for (const image of imagesOf(lines)) expect((await stat(join(made, image))).mtimeMs, image).toBe(1_000_000);
  expect((await stat(join(made, "images", "z.jpg.jpg"))).size).toBe(right.length + 6 * 2 ** 20);
}, 180_000);

it("videos are refused on a machine without ffmpeg, before a job is made", async () => {
  await mkdir(join(imports, "videos"), { recursive: true });
  await writeFile(join(imports, "videos", "clip.mp4"), "");
  const refused = await failureOf(client.datasets.curateDataset({ datasetId: "videos", directory: "videos" }));
  expect(refused).toMatchObject({ code: "FailedPrecondition", reason: "FFMPEG_MISSING" });
  expect(refused.text).toContain("to read videos such as clip.mp4 with");
});
