import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDataset } from "../open-dataset.ts";
import { createSyntheticFrame, NEUTRAL_FRAME, type SyntheticFrame } from "./frame.ts";
import { renderFace } from "./render.ts";
import { createSyntheticSubject, SYNTHFACS_ACTION_UNITS } from "./subject.ts";
import { FACE_OVAL_CONVENTION, synthesizeDataset } from "./synthesize-dataset.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-synthfacs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options = { seed: 3, subjects: 3, framesPerSubject: 4, imageSize: 64, identityShortcut: 0.5 };

function withActionUnit(number: number, intensity: number): SyntheticFrame {
  return {
    ...NEUTRAL_FRAME,
    intensities: SYNTHFACS_ACTION_UNITS.map((each) => (each === number ? intensity : 0)),
  };
}

/** Rows of the picture, in percent of its height, that change when an action unit occurs. */
async function changedRows(number: number): Promise<{ first: number; last: number; pixels: number }> {
  const size = 200;
  const subject = createSyntheticSubject(1, 0, 0);
  const neutral = await renderFace(subject, NEUTRAL_FRAME, size, [0]);
  const moved = await renderFace(subject, withActionUnit(number, 5), size, [0]);
  const rows = new Set<number>();
  let pixels = 0;
  for (let i = 0; i < neutral.data.length; i++) {
    if (Math.abs(neutral.data[i]! - moved.data[i]!) < 24) continue;
    rows.add(Math.floor(i / 3 / size));
    pixels++;
  }
  return { first: (100 * Math.min(...rows)) / size, last: (100 * Math.max(...rows)) / size, pixels };
}

describe("a drawn face", () => {
  it("has the same pixels for the same seed, others for another", async () => {
    const digest = async (seed: number) => {
      const subject = createSyntheticSubject(seed, 0, 0.5);
      const { data } = await renderFace(subject, createSyntheticFrame(seed, subject, 0), 96, [seed, 0]);
      return createHash("sha256").update(data).digest("hex");
    };
    expect(await digest(1)).toBe(await digest(1));
    expect(await digest(1)).not.toBe(await digest(2));
  });

  it.each([
    [1, 0, 40],
    [2, 0, 40],
    [4, 20, 50],
    [12, 30, 90],
    [25, 65, 90],
    [26, 60, 100], // the nasolabial furrow, from the nose at 62, follows the lip corner
    [43, 30, 50],
  ])("moves only its own region with AU%i", async (number, top, bottom) => {
    const { first, last, pixels } = await changedRows(number);
    expect(pixels).toBeGreaterThan(200);
    expect(first).toBeGreaterThanOrEqual(top);
    expect(last).toBeLessThanOrEqual(bottom);
  });

  it.each(SYNTHFACS_ACTION_UNITS)("moves further from neutral as AU%i grows", async (number) => {
    const subject = createSyntheticSubject(2, 1, 0);
    const neutral = await renderFace(subject, NEUTRAL_FRAME, 128, [0]);
    let before = 0;
    for (const intensity of [1, 3, 5]) {
      const { data } = await renderFace(subject, withActionUnit(number, intensity), 128, [0]);
      const distance = data.reduce((sum, value, i) => sum + Math.abs(value - neutral.data[i]!), 0);
      expect(distance).toBeGreaterThan(before);
      before = distance;
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
});

describe("synthesizeDataset", () => {
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
      await synthesizeDataset(join(folder, name), options);
      digests.push((await openDataset(join(folder, name))).digest);
    }
    expect(digests[0]).toBe(digests[1]);
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
