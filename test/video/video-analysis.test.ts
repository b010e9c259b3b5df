import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { DetectorService, JobService, JobState, TableFormat } from "@duchenne/proto";
import { FFMPEG, packetTimes } from "@duchenne/video/test-videos";
import { parse } from "csv-parse/sync";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duchenneCommand } from "../e2e/duchenne-command.ts";
import { failureOf } from "../e2e/failure-of.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";
import { type Shown, writeFaceClip } from "./face-clip.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let video: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const imports = join(folder.path, "data", "import");
  await mkdir(imports, { recursive: true });
  const shown: Shown[] = Array.from({ length: 12 }, (_, i) => (i < 8 ? [{ who: "christian", left: 100 }] : "black"));
  video = await writeFaceClip(join(imports, "smile.mp4"), shown, 15);
  await writeFile(join(imports, "notes.txt"), "no video");
  const programs = join(folder.path, "programs");
  await mkdir(programs);
  await symlink(FFMPEG, join(programs, "ffmpeg"));
  server = await startServer("detector", join(folder.path, "data"), {
    env: { PATH: `${programs}:${process.env.PATH}` },
  });
});
afterAll(async () => {
  await server.end();
  await folder[Symbol.asyncDispose]();
});

const ended = async (name: string) => {
  for await (const { event } of createClient(JobService, server.grpc).watchJob({ name })) void event;
  return createClient(JobService, server.grpc).getJob({ name });
};

describe("duchenne analyze", () => {
  it("writes the tables that are asked for, with all frames of the video", async () => {
    const output = join(folder.path, "tables");
    const options = ["--output", output, "--format", "csv,jsonl,parquet", "--columns", "openface"];
    const run = await duchenneCommand(server, "analyze", video, ...options);
    expect(run.stderr).toContain("12 frames, 8 with a face, 1 faces told apart");
    expect(run).toMatchObject({ code: 0 });
    const files = ["csv", "jsonl", "parquet"].map((ending) => join(output, `smile.${ending}`));
    expect(run.stdout).toBe(files.map((file) => `${file}\n`).join(""));
    expect((await readdir(output)).sort()).toEqual(["smile.csv", "smile.jsonl", "smile.parquet"]);

    const rows = parse(await readFile(files[0]!), { columns: true }) as Record<string, string>[];
    const times = await packetTimes(video);
    expect(rows.map(({ timestamp }) => Math.round(1000 * Number(timestamp)))).toEqual(times);
    expect(rows.map(({ success }) => Number(success))).toEqual(times.map((_, i) => (i < 8 ? 1 : 0)));
    expect(rows[0]).toMatchObject({ frame: "1", face_id: "0", AU12_c: "1" });
    const objects = (await readFile(files[1]!, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(await parquetReadObjects({ file: await asyncBufferFromFile(files[2]!) })).toEqual(objects);
    // The job's own folder is gone.
    expect(await readdir(join(folder.path, "data", "analyses"))).toEqual([]);
  });

  it("refuses a format that there is none of", async () => {
    const run = await duchenneCommand(server, "analyze", video, "--output", folder.path, "--format", "csv,xlsx");
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('got "xlsx"') });
  });
});

describe("CreateVideoAnalysis", () => {
  it("takes a path below the import folder; only what was written can be exported", async () => {
    const detector = createClient(DetectorService, server.grpc);
    const { name } = await detector.createVideoAnalysis({ video: "smile.mp4", formats: [TableFormat.JSONL] });
    const job = await ended(name);
    expect(job).toMatchObject({ kind: "video_analysis", state: JobState.SUCCEEDED, progress: 1 });
    expect(job.spec).toMatchObject({ modelVersion: "models/blendshape-au/versions/1", columns: "duchenne" });
    expect(job.result).toMatchObject({ frames: 12, packets: 12, rows: 12, decodeErrors: 0 });
    const csv = detector.exportVideoAnalysis({ name, format: TableFormat.CSV });
    expect(await failureOf(csv[Symbol.asyncIterator]().next())).toMatchObject({ reason: "TABLE_NOT_WRITTEN" });
  });

  it.each([
    ["/etc/hostname", "DIRECTORY_NOT_ALLOWED"],
    ["../../outside.mp4", "DIRECTORY_NOT_ALLOWED"],
    ["absent.mp4", "VIDEO_NOT_FOUND"],
  ])("refuses %s", async (path, reason) => {
    const created = createClient(DetectorService, server.grpc).createVideoAnalysis({ video: path });
    expect(await failureOf(created)).toMatchObject({ reason });
  });

  it("of a file that is no video fails, once, and says why", async () => {
    const detector = createClient(DetectorService, server.grpc);
    const { name } = await detector.createVideoAnalysis({ video: "notes.txt" });
    const job = await ended(name);
    expect(job).toMatchObject({ state: JobState.FAILED, attempt: 1, error: { reason: "UNREADABLE_VIDEO" } });
    const table = detector.exportVideoAnalysis({ name, format: TableFormat.CSV });
    expect(await failureOf(table[Symbol.asyncIterator]().next())).toMatchObject({ reason: "NO_VIDEO_ANALYSIS" });
  });

  it("on a machine without ffmpeg says what is missing and how to install it", async () => {
    const bare = join(folder.path, "bare");
    await mkdir(bare);
    await symlink("/bin/bash", join(bare, "bash"));
    const data = join(folder.path, "other");
    await mkdir(join(data, "import"), { recursive: true });
    await writeFile(join(data, "import", "any.mp4"), "");
    const other = await startServer("detector", data, { env: { PATH: bare } });
    try {
      const created = createClient(DetectorService, other.grpc).createVideoAnalysis({ video: "any.mp4" });
      const failure = await failureOf(created);
      expect(failure).toMatchObject({ reason: "FFMPEG_MISSING" });
      expect(failure.text).toMatch(/"ffmpeg" on the PATH of the server.*apt-get install ffmpeg/);
    } finally {
      await other.end();
    }
  });
});
