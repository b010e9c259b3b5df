import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { AUGMENTATIONS } from "../augment/augmentation.ts";
import type { Dataset } from "../dataset.ts";
import { createImageLoader } from "../image-loader.ts";
import { openDataset } from "../open-dataset.ts";
import { createRandom } from "../random.ts";
import {
  type Batch,
  type BatchLoader,
  BatchLoaderClosedError,
  type BatchLoaderOptions,
  createBatchLoader,
  type PlannedBatch,
} from "./batch-loader.ts";
import { UnreadableImageError } from "./sample-source.ts";

const SIZE = 20;
const COUNT = 12;
let folder: string;
let dataset: Dataset;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-input-"));
  const random = createRandom([1, "input"]);
  const lines: string[] = [];
  for (let i = 0; i < COUNT; i++) {
    const width = 24 + i;
    const data = Uint8Array.from({ length: width * 28 * 3 }, () => random.integer(256));
    await sharp(data, { raw: { width, height: 28, channels: 3 } })
      .png()
      .toFile(join(folder, `${i}.png`));
    const box = i % 3 === 0 ? { box: { left: 2, top: 3, width: 15, height: 18 } } : {};
    lines.push(JSON.stringify({ image: `${i}.png`, subject: "s", actionUnits: {}, ...box }));
  }
  await writeFile(join(folder, "dataset.json"), JSON.stringify({ name: "input", actionUnits: [1] }));
  // An empty line in its middle: lines and samples are not numbered alike.
  lines.splice(4, 0, "");
  await writeFile(join(folder, "manifest.jsonl"), lines.join("\n"));
  dataset = await openDataset(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open: BatchLoader[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});
function loader(options: Partial<BatchLoaderOptions> = {}, of: Pick<Dataset, "samples" | "directory"> = dataset) {
  const made = createBatchLoader(of, { imageSize: SIZE, augmentation: AUGMENTATIONS.paper, seed: 3, ...options });
  open.push(made);
  return made;
}
/** `count` batches of 5, from an epoch on; `pulled` counts how many were asked for. */
function planOf(count: number, firstEpoch = 0) {
  const state = { pulled: 0, ended: false };
  function* plan(): Generator<PlannedBatch> {
    try {
      for (let i = 0; i < count; i++) {
        state.pulled++;
        yield { epoch: firstEpoch + i, indices: Uint32Array.from({ length: 5 }, (_, k) => (i * 5 + k) % COUNT) };
      }
    } finally {
      state.ended = true;
    }
  }
  return { state, plan: plan() };
}
async function collect(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of batches) all.push({ ...batch, images: batch.images.slice() });
  return all;
}
/** The data set with other image paths for some samples. */
function withPaths(paths: Readonly<Record<number, string>>): Pick<Dataset, "samples" | "directory"> {
  const samples = dataset.samples.map((sample, i) => ({ ...sample, imagePath: paths[i] ?? sample.imagePath }));
  return { samples, directory: folder };
}

describe("createBatchLoader", () => {
  it("yields the same bytes for any number of workers, prefetch and cache", async () => {
    const expected = await collect(loader({ workers: 0, cacheBytes: 0 }).batches(planOf(6).plan));
    expect(expected.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const options of [
      { workers: 0 },
      { workers: 1, prefetch: 1 },
      { workers: 2, prefetch: 3 },
      { workers: 3, cacheBytes: 0 },
      // Room for two images or three: some are kept and some are not.
      { workers: 2, cacheBytes: 6000 },
    ]) {
      expect(await collect(loader(options).batches(planOf(6).plan)), JSON.stringify(options)).toEqual(expected);
    }
  });

  it("resumes: a batch does not depend on those before it", async () => {
    const whole = await collect(loader({ workers: 1 }).batches(planOf(4).plan));
    const { epoch, indices } = whole[3]!;
    expect(await loader({ workers: 2 }).load(indices, epoch)).toEqual(whole[3]);
  });

  it("draws anew each epoch, and by seed", async () => {
    const indices = Uint32Array.of(1, 2);
    const of = async (seed: number, epoch: number) => (await loader({ workers: 0, seed }).load(indices, epoch)).images;
    expect(await of(3, 0)).not.toEqual(await of(3, 1));
    expect(await of(3, 0)).not.toEqual(await of(4, 0));
  });

  it('agrees with the plain image loader on "none"', async () => {
    const indices = Uint32Array.from({ length: COUNT }, (_, i) => i);
    const { images } = await loader({ workers: 2, augmentation: AUGMENTATIONS.none }).load(indices, 0);
    expect(images).toEqual(await createImageLoader(dataset, { imageSize: SIZE }).load(indices));
  });

  it("takes batches of different sizes, and an empty one", async () => {
    const plan = [3, 7, 0, 1].map((length) => ({ epoch: 0, indices: Uint32Array.from({ length }, (_, i) => i) }));
    const batches = await collect(loader({ workers: 2 }).batches(plan));
    expect(batches.map(({ images }) => images.length)).toEqual([3, 7, 0, 1].map((count) => count * 3 * SIZE * SIZE));
  });

  it.each([
    [0, 0],
    [2, 1],
    [2, 4],
  ])("with %d workers makes at most %d batches ahead", async (workers, prefetch) => {
    const { state, plan } = planOf(20);
    let taken = 0;
    for await (const _ of loader({ workers, prefetch }).batches(plan)) {
      taken++;
      expect(state.pulled).toBeLessThanOrEqual(taken + prefetch);
    }
    expect(taken).toBe(20);
  });

  it("stops what was made ahead when the loop is left, and goes on with another plan", async () => {
    const loaded = loader({ workers: 2 });
    const { state, plan } = planOf(20);
    for await (const _ of loaded.batches(plan)) break;
    expect(state.ended).toBe(true);
    const expected = await collect(loader({ workers: 0 }).batches(planOf(2, 5).plan));
    expect(await collect(loaded.batches(planOf(2, 5).plan))).toEqual(expected);
  });

  it("serves two plans at once", async () => {
    const loaded = loader({ workers: 2 });
    const [first, second] = await Promise.all([
      collect(loaded.batches(planOf(3).plan)),
      collect(loaded.batches(planOf(3, 3).plan)),
    ]);
    expect(first).toEqual(await collect(loaded.batches(planOf(3).plan)));
    expect(second).toEqual(await collect(loaded.batches(planOf(3, 3).plan)));
  });

  it("counts the time spent waiting", async () => {
    const loaded = loader({ workers: 1 });
    expect(loaded.waitMs()).toBe(0);
    await loaded.load(Uint32Array.of(0), 0);
    expect(loaded.waitMs()).toBeGreaterThan(0);
  });
});

describe("a batch that cannot be made", () => {
  it.each([0, 2])("names file and line, after the batches before it (%d workers)", async (workers) => {
    const corrupt = join(folder, "6.png");
    const whole = await readFile(corrupt);
    await writeFile(corrupt, whole.subarray(0, 400));
    try {
      const batches = loader({ workers, cacheBytes: 0 }).batches(planOf(4).plan);
      expect((await batches.next()).value?.epoch).toBe(0);
      const error = await batches.next().catch((thrown) => thrown);
      expect(error).toBeInstanceOf(UnreadableImageError);
      // Sample 6 stands in line 8: samples count from 0, lines from 1, and one line is empty.
      expect(error.message).toMatch(`manifest.jsonl:8: Cannot read ${corrupt}: `);
      expect(error.code).toBe("data_loss");
      expect((await batches.next()).done).toBe(true);
    } finally {
      await writeFile(corrupt, whole);
    }
  });

  it("says which one is missing: the first of the batch, whoever worked on it", async () => {
    const of = withPaths({ 2: join(folder, "gone.png"), 3: join(folder, "gone-too.png") });
    for (const workers of [0, 1, 3]) {
      const failing = loader({ workers }, of).load(Uint32Array.of(0, 1, 2, 3, 4), 0);
      await expect(failing).rejects.toThrow(/^sample 2: Cannot read .*gone\.png: .*missing/);
    }
  });

  it("says when a box misses its image", async () => {
    const samples = dataset.samples.map((sample) => ({ ...sample, box: { left: 900, top: 0, width: 5, height: 5 } }));
    const failing = loader({ workers: 1 }, { samples, directory: folder }).load(Uint32Array.of(0), 0);
    await expect(failing).rejects.toThrow(/manifest.jsonl:1: .*meets the 24x28 image/);
  });

  it("refuses a sample that the data set lacks", async () => {
    await expect(loader({ workers: 1 }).load(Uint32Array.of(COUNT), 0)).rejects.toThrow(/Expected a sample of 0..11/);
  });
});

describe("stopping", () => {
  it.each([0, 2])("an aborted signal ends the wait with its reason (%d workers)", async (workers) => {
    const stop = new AbortController();
    const { state, plan } = planOf(20);
    const batches = loader({ workers }).batches(plan, { signal: stop.signal });
    const waiting = batches.next();
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    expect(state.ended).toBe(true);
  });

  it.each([0, 2])("closing rejects what waits, and what comes later (%d workers)", async (workers) => {
    const loaded = loader({ workers });
    const waiting = loaded.load(Uint32Array.of(0, 1, 2), 0);
    const rejected = expect(waiting).rejects.toThrow(BatchLoaderClosedError);
    await loaded.close();
    await rejected;
    await loaded.close();
    await expect(loaded.load(Uint32Array.of(0), 0)).rejects.toThrow(BatchLoaderClosedError);
  });

  it("closing lets the process end", async () => {
    const script = `
      import { AUGMENTATIONS, createBatchLoader, openDataset } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
      const dataset = await openDataset(${JSON.stringify(folder)});
      const loader = createBatchLoader(dataset, { imageSize: 20, augmentation: AUGMENTATIONS.paper, seed: 1, workers: 2 });
      const plan = Array.from({ length: 8 }, (_, epoch) => ({ epoch, indices: Uint32Array.of(0, 1, 2) }));
      for await (const batch of loader.batches(plan)) if (batch.epoch === 3) break;
      await loader.close();
      console.log("closed");`;
    const file = join(folder, "close.mjs");
    await writeFile(file, script);
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    expect(stdout).toBe("closed\n");
  });
});
