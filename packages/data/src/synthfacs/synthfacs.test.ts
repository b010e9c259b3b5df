import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDataset } from "../open-dataset.ts";
import { createSyntheticFrame, frameWith, NEUTRAL_FRAME, type SyntheticFrame } from "./frame.ts";
import { renderLabelledFace } from "./render.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "./subject.ts";
import { FACE_OVAL_CONVENTION, synthesizeDataset } from "./synthesize-dataset.ts";

const options = { seed: 3, subjects: 3, framesPerSubject: 4, imageSize: 64, identityShortcut: 0.5 };

async function sha256Of(seed: number, frame: Partial<SyntheticFrame> = {}): Promise<string> {
  const subject = createSyntheticSubject(seed, 0, 0.5);
  const shown = { ...createSyntheticFrame(seed, subject, 0), ...frame };
  const { image } = await renderLabelledFace(subject, shown, { size: 96, noiseSeed: [seed, 0] });
  return createHash("sha256").update(image.data).digest("hex");
}

describe("a synthetic face", () => {
  it("has the same pixels for the same seed, others for another", async () => {
    expect(await sha256Of(1)).toBe(await sha256Of(1));
    expect(await sha256Of(1)).not.toBe(await sha256Of(2));
  });

  it.each(SYNTHFACS_ACTION_UNITS)("looks further from neutral as AU%i grows", async (number) => {
    const subject = createSyntheticSubject(2, 1, 0);
    const pixels = async (intensity: number) =>
      (await renderLabelledFace(subject, frameWith({ [number]: intensity }), { size: 96, noiseSeed: [0] })).image.data;
    const neutral = await pixels(0);
    let before = 0;
    for (const intensity of [1, 3, 5]) {
      const data = await pixels(intensity);
      const distance = data.reduce((sum, value, i) => sum + Math.abs(value - neutral[i]!), 0);
      expect(distance).toBeGreaterThan(before);
      before = distance;
    }
  });

  it("has its box around its landmarks, and fills the crop but for its margin", async () => {
    const subject = createSyntheticSubject(2, 1, 0);
    const { box, landmarks } = await renderLabelledFace(subject, NEUTRAL_FRAME, { size: 100, noiseSeed: [0] });
    expect(box.left).toBeCloseTo(100 * (0.05 / 1.1), 3);
    expect(box.width).toBeCloseTo(100 / 1.1, 3);
    for (const landmark of [1, 33, 263, 61, 291, 152, 468, 473]) {
      expect(landmarks[3 * landmark]!).toBeGreaterThanOrEqual(box.left - 1e-3);
      expect(landmarks[3 * landmark]!).toBeLessThanOrEqual(box.left + box.width + 1e-3);
      expect(landmarks[3 * landmark + 1]!).toBeLessThanOrEqual(box.top + box.height + 1e-3);
    }
  });
});

describe("the identity shortcut", () => {
  const ratesOf = (shortcut: number) =>
    Array.from({ length: 40 }, (_, i) => createSyntheticSubject(5, i, shortcut).baseRates);

  it("at 0 gives every subject the same base rates", () => {
    const rates = ratesOf(0);
    for (const each of rates) for (const [a, rate] of each.entries()) expect(rate).toBeCloseTo(rates[0]![a]!, 12);
  });

  it("at 1 ties base rates to subjects", () => {
    for (const a of SYNTHFACS_ACTION_UNITS.keys()) {
      const column = ratesOf(1).map((rates) => rates[a]!);
      expect(Math.max(...column) - Math.min(...column)).toBeGreaterThan(0.5);
    }
  });

  it("does not change how a subject looks", () => {
    const { baseRates: _, ...look } = createSyntheticSubject(5, 0, 0);
    const { baseRates: __, ...other } = createSyntheticSubject(5, 0, 1);
    expect(other).toEqual(look);
  });

  it("at 0 leaves a subject's action units independent of its look", () => {
    // Correlation of each shape coefficient with how often each action unit occurs: what chance leaves of 80 subjects.
    const subjects = Array.from({ length: 80 }, (_, i) => createSyntheticSubject(9, i, 0));
    const rates = subjects.map((subject) => {
      const frames = Array.from({ length: 40 }, (_, f) => createSyntheticFrame(9, subject, f).intensities);
      return SYNTHFACS_ACTION_UNITS.map((_, a) => frames.filter((frame) => frame[a]! >= 2).length / 40);
    });
    const squares: number[] = [];
    for (const k of subjects[0]!.shape.keys()) {
      for (const a of SYNTHFACS_ACTION_UNITS.keys()) {
        const coefficients = subjects.map(({ shape }) => shape[k]!);
        squares.push(correlation(coefficients, rates.map((row) => row[a]!)) ** 2); // biome-ignore format: one pair
      }
    }
    // The expected square of a correlation by chance is 1 / (n - 1).
    const mean = squares.reduce((sum, value) => sum + value, 0) / squares.length;
    expect(mean).toBeLessThan(1.25 / 79);
  });
});

describe("synthesizeDataset", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "duchenne-synthfacs-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("writes a data set that opens with the labels it drew", async () => {
    const directory = join(folder, "set");
    const progress: number[] = [];
    await synthesizeDataset(directory, options, { onProgress: (done) => progress.push(done) });
    const dataset = await openDataset(directory);
    expect(dataset.subjects).toEqual(["S001", "S002", "S003"]);
    expect(dataset.samples).toHaveLength(12);
    expect(dataset.boxConvention).toBe(FACE_OVAL_CONVENTION);
    expect(progress).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    const frame = createSyntheticFrame(3, createSyntheticSubject(3, 1, 0.5), 2);
    const sample = dataset.samples[6]!;
    expect([...sample.intensity]).toEqual(frame.intensities.map(Math.fround));
    expect([...sample.occurrence]).toEqual(frame.intensities.map((intensity) => (intensity >= 2 ? 1 : 0)));
  });

  it("has the same digest for the same seed", async () => {
    const digests = [];
    for (const name of ["a", "b"]) {
      await synthesizeDataset(join(folder, name), { ...options, imageSize: 32 });
      digests.push((await openDataset(join(folder, name))).digest);
    }
    expect(digests[0]).toBe(digests[1]);
  });

  it("has the same pixels from one thread and from several", async () => {
    // From 200 frames on, threads share the work.
    const directory = join(folder, "threads");
    await synthesizeDataset(directory, { ...options, imageSize: 32, subjects: 4, framesPerSubject: 50 });
    const { samples } = await openDataset(directory);
    expect(samples).toHaveLength(200);
    const subject = createSyntheticSubject(3, 2, 0.5);
    const { image } = await renderLabelledFace(subject, createSyntheticFrame(3, subject, 7), {
      size: 32,
      noiseSeed: [3, subject.name, 7],
    });
    const stored = await sharp(samples[107]!.imagePath).raw().toBuffer();
    expect(Buffer.compare(stored, image.data)).toBe(0);
  });

  it("leaves nothing behind on a full disk, and says what the system said", () => {
    const program = `
      import { synthesizeDataset } from ${JSON.stringify(new URL("./synthesize-dataset.ts", import.meta.url).href)};
      const failure = await synthesizeDataset(${JSON.stringify(join(folder, "faces"))}, ${JSON.stringify(options)}).catch((error) => error);
      process.stdout.write(failure.code);`;
    const command = ["-c", 'ulimit -f 2 && exec "$0" "$@"', process.execPath, "--input-type=module", "-e", program];
    const { stdout, stderr } = spawnSync("bash", command, { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "EFBIG", stderr: "" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("leaves nothing behind when aborted", async () => {
    const abort = new AbortController();
    const run = synthesizeDataset(join(folder, "set"), options, {
      signal: abort.signal,
      onProgress: (done) => done === 2 && abort.abort(),
    });
    await expect(run).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
  });
});

function correlation(p: readonly number[], q: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(p), mean(q)];
  const of = (f: (i: number) => number) => p.reduce((sum, _, i) => sum + f(i), 0);
  const spread = Math.sqrt(of((i) => (p[i]! - x) ** 2) * of((i) => (q[i]! - y) ** 2));
  return spread === 0 ? 0 : of((i) => (p[i]! - x) * (q[i]! - y)) / spread;
}
