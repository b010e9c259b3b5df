import { mkdir, mkdtemp, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyzeVideo, type ColumnSet, FRAMES_IN_FLIGHT, findFfmpeg, type TableFormat } from "@duchenne/video";
import { FFMPEG, joinClips, packetTimes } from "@duchenne/video/test-videos";
import { type AuModel, createVisionEngine, type VisionEngine } from "@duchenne/vision";
import { parse } from "csv-parse/sync";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Shown, writeFaceClip } from "./face-clip.ts";

let folder: string;
let engine: VisionEngine;
let model: AuModel;
let slow: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-analysis-"));
  engine = createVisionEngine({ workers: 1 });
  model = await engine.load({ kind: "blendshape-au" });
  // A face, a black stretch, the face again where it was, and another one comes in.
  slow = await writeFaceClip(join(folder, "slow.mp4"), SHOWN, 10);
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const SHOWN: readonly Shown[] = [
  ...Array.from({ length: 8 }, (_, i) => [{ who: "christian", left: 4 * i }]),
  ...Array.from({ length: 6 }, () => "black" as const),
  ...Array.from({ length: 4 }, () => [{ who: "christian", left: 30 }]),
  ...Array.from({ length: 6 }, () => [
    { who: "christian", left: 30 },
    { who: "marc", left: 280 },
  ]),
];

interface Row extends Record<string, string> {}

let made = 0;
async function analyze(
  video: string,
  columns: ColumnSet = "duchenne",
  formats: TableFormat[] = ["csv"],
  watched = model,
) {
  const out = join(folder, `out-${made++}`);
  await mkdir(out);
  const options = { ffmpeg: await findFfmpeg(FFMPEG), model: watched, columns, formats, folder: out };
  const fractions: number[] = [];
  const onProgress = ({ fraction }: { fraction: number }) => void fractions.push(fraction);
  const summary = await analyzeVideo(video, { ...options, maxFaces: 4, detectEvery: 3, onProgress });
  const csv = parse(await readFile(join(out, "faces.csv")), { columns: true }) as Row[];
  return { summary, out, csv, fractions };
}

it("every frame of a video of a varying rate is in the table, at the container's time, faces under one id", async () => {
  const fast = await writeFaceClip(join(folder, "fast.mp4"), SHOWN.slice(18), 20);
  const video = await joinClips(folder, "varying.mp4", [slow, fast]);
  const { summary, csv, fractions } = await analyze(video);
  expect(summary).toMatchObject({ frames: 30, packets: 30, errorCount: 0, faces: 2, framesWithFaces: 24 });
  expect(summary.rows).toBe(csv.length);
  const times = await packetTimes(video);
  const byFrame = Map.groupBy(csv, ({ frame }) => Number(frame));
  expect([...byFrame.keys()]).toEqual(times.map((_, i) => i));
  for (const [frame, rows] of byFrame) {
    expect(rows.map((row) => Math.round(1000 * Number(row.timestamp_s)))).toEqual(rows.map(() => times[frame]));
    const ids = rows.map(({ face_id }) => face_id).sort();
    // Who comes in while another is followed is found by the next search of the whole frame, every third.
    const both = frame < 20 && ids.length === 1 ? ["1"] : ["1", "2"];
    expect(ids, `frame ${frame}`).toEqual(frame < 8 ? ["1"] : frame < 14 ? [""] : frame < 18 ? ["1"] : both);
  }
  // The face is where it was put, and smiles.
  const face = byFrame.get(0)![0]!;
  expect(Number(face.left) + Number(face.width) / 2).toBeGreaterThan(60);
  expect(Number(face.left) + Number(face.width) / 2).toBeLessThan(120);
  expect(Number(face.AU12)).toBeGreaterThan(0.5);
  expect(face.AU12_present).toBe("1");
  expect(byFrame.get(10)![0]).toMatchObject({ left: "", AU12: "", confidence: "" });
  expect(fractions).toHaveLength(30);
  expect(fractions.every((fraction, i) => fraction >= (fractions[i - 1] ?? 0) && fraction <= 1)).toBe(true);
});

it("the tables of all formats hold the same, and those of a second run, too", async () => {
  const { csv, out } = await analyze(slow, "openface", ["csv", "jsonl", "parquet"]);
  expect(csv[0]).toMatchObject({ frame: "1", face_id: "0", timestamp: "0", success: "1", AU12_c: "1", AU45_c: "" });
  expect(csv[8]).toMatchObject({ frame: "9", face_id: "", success: "0", confidence: "0", AU12_c: "" });
  const lines = (await readFile(join(out, "faces.jsonl"), "utf8")).trim().split("\n");
  const objects = lines.map((line) => JSON.parse(line) as Record<string, number | null>);
  const file = await asyncBufferFromFile(join(out, "faces.parquet"));
  expect(await parquetReadObjects({ file })).toEqual(objects);
  const numbers = csv.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell === "" ? null : Number(cell)])),
  );
  expect(numbers).toEqual(objects);
  const again = await analyze(slow, "openface");
  expect(await readFile(join(again.out, "faces.csv"))).toEqual(await readFile(join(out, "faces.csv")));
});

it("what a cut-off video still holds is in the table", async () => {
  const video = await writeFaceClip(join(folder, "cut.mkv"), SHOWN.slice(0, 8), 10, "-g", "1");
  await truncate(video, Math.floor((await readFile(video)).length * 0.6));
  const { summary, csv } = await analyze(video, "pyfeat");
  expect(summary.frames).toBeGreaterThanOrEqual(3);
  expect(summary.frames).toBeLessThan(8);
  expect(csv.map(({ frame }) => Number(frame))).toEqual(Array.from({ length: summary.frames }, (_, i) => i));
  expect(csv[1]).toMatchObject({ input: "cut.mkv", Identity: "Person_0", approx_time: "00:00", timestamp: "0.1" });
});

it("no more frames are in memory than a few, however many there are", async () => {
  let [inWork, most, found] = [0, 0, 0];
  const watched: AuModel = {
    ...model,
    async find(request, scheduling) {
      most = Math.max(most, ++inWork);
      found++;
      return model.find(request, scheduling);
    },
    async score(image, scheduling) {
      const detection = await model.score(image, scheduling);
      inWork--;
      return detection;
    },
  };
  const { summary } = await analyze(slow, "duchenne", ["csv"], watched);
  expect(found).toBe(summary.frames);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(FRAMES_IN_FLIGHT);
});

it("an analysis that is stopped ends at once, and leaves nothing running", async () => {
  const abort = new AbortController();
  const out = join(folder, "stopped");
  await mkdir(out);
  const options = { model, columns: "duchenne", formats: ["csv"], folder: out, maxFaces: 1, detectEvery: 5 } as const;
  const analysis = analyzeVideo(slow, {
    ...options,
    ffmpeg: await findFfmpeg(FFMPEG),
    signal: abort.signal,
    onProgress: ({ frames }) => frames === 2 && abort.abort(new Error("told to")),
  });
  await expect(analysis).rejects.toThrow("told to");
});
