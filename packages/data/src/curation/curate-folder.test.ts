import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, cp, mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDataFolder, type DataFolder } from "../../test-fixtures/data-folder.ts";
import { openDataset } from "../open-dataset.ts";
import { type CurationProgress, curateFolder } from "./curate-folder.ts";
import { type CurationLine, curationLineSchema } from "./curation-line.ts";
import { CURATION_LOG, readCurationCounts } from "./curation-log.ts";
import { type CurationOptions, curationOptionsSchema } from "./curation-options.ts";
import { UnusableVideoError, type VideoReader } from "./sample-frames.ts";

let folder: DataFolder;
let sources: string;
beforeEach(async () => {
  folder = await createDataFolder();
  sources = join(folder.path, "sources");
  await mkdir(sources);
});
afterEach(() => folder[Symbol.asyncDispose]());

async function draw(way: string, width: number, height: number, shade: number): Promise<Buffer> {
  const background = { r: shade % 256, g: (7 * shade) % 256, b: 90 };
  const image = sharp({ create: { width, height, channels: 3, background } });
  const bytes = await (way.endsWith(".png") ? image.png() : image.jpeg()).toBuffer();
  await mkdir(dirname(join(sources, way)), { recursive: true });
  await writeFile(join(sources, way), bytes);
  return bytes;
}

/** Ten frames a second, each of another shade; a file's text says how many. "torn" ones end in an error. */
const readVideo: VideoReader = async function* (path, signal) {
  const [count, fault] = (await readFile(path, "utf8")).split(" ");
  const frames = Number(count);
  for (let index = 0; index < frames; index++) {
    signal?.throwIfAborted();
    yield {
      index,
      timestampS: index / 10,
      width: 300,
      height: 240,
      data: new Uint8Array(3 * 300 * 240).fill(2 * index),
    };
  }
  if (fault === "torn") throw new UnusableVideoError("undecodable", "Expected a whole video");
  return { frames, errorCount: fault === "damaged" ? 2 : 0, errors: fault === "damaged" ? ["bad", "worse"] : [] };
};

let made = 0;
async function emptyFolder(): Promise<string> {
  const into = join(folder.path, `made-${made++}`);
  await mkdir(into);
  return into;
}
async function curate(
  into: string,
  given: Partial<CurationOptions> = {},
  control: { signal?: AbortSignal; onProgress?: (progress: CurationProgress) => void } = {},
) {
  return curateFolder(sources, into, curationOptionsSchema.parse(given), { readVideo, ...control });
}
async function linesOf(into: string): Promise<CurationLine[]> {
  const text = await readFile(join(into, CURATION_LOG), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => curationLineSchema.parse(JSON.parse(line)));
}
/** All files of a folder, with the digests of their bytes. */
async function contentsOf(into: string): Promise<Record<string, string>> {
  const entries = await readdir(into, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = async (file: string) => [file.slice(into.length + 1), sha256Of(await readFile(file))] as const;
  return Object.fromEntries(await Promise.all(files.toSorted().map(read)));
}
const sha256Of = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe("a folder", () => {
  it("becomes images by the rules, and a line for each source that says what became of it", async () => {
    const original = await draw("a.jpg", 224, 224, 1);
    await draw("a.png", 300, 300, 1);
    await draw("deep/er/b.jpg", 336, 224, 2);
    await draw("long.jpg", 337, 224, 3);
    await draw("small.jpg", 223, 400, 4);
    await writeFile(join(sources, "a-copy.jpg"), original);
    await writeFile(join(sources, "cut.jpg"), (await draw("whole.jpg", 400, 300, 5)).subarray(0, 700));
    await writeFile(join(sources, "empty.jpg"), "");
    await writeFile(join(sources, "text.jpg"), "a text");
    await writeFile(join(sources, "notes.txt"), "a text");
    await writeFile(join(sources, "clip.mp4"), "25 damaged");
    await writeFile(join(sources, "torn.mp4"), "5 torn");
    const into = await emptyFolder();
    const seen: CurationProgress[] = [];
    const counts = await curate(into, {}, { onProgress: (progress) => seen.push(progress) });
    expect(counts).toEqual({
      sources: 13,
      videos: 1,
      kept: 8,
      asTheyWere: 1,
      leftOut: { too_small: 1, too_elongated: 1, too_large: 0, undecodable: 2, not_an_image: 3, duplicate: 1 },
    });
    expect(await readCurationCounts(into)).toEqual(counts);
    expect(seen.at(-1)).toEqual({ counts, totalSources: 13, sourcesBefore: 0, judged: 15 });

    const lines = await linesOf(into);
    expect(
      lines.map(({ kind, source, ...rest }) => [
        source,
        kind,
        "reason" in rest ? rest.reason : "image" in rest ? rest.image : "",
      ]),
    ).toEqual([
      // "a-copy.jpg" comes before "a.jpg", which is left out for it.
      ["a-copy.jpg", "kept", "images/a-copy.jpg.jpg"],
      ["a.jpg", "left_out", "duplicate"],
      ["a.png", "kept", "images/a.png.jpg"],
      ["clip.mp4", "kept", "images/clip.mp4/00000000.jpg"],
      ["clip.mp4", "kept", "images/clip.mp4/00000010.jpg"],
      ["clip.mp4", "kept", "images/clip.mp4/00000020.jpg"],
      ["clip.mp4", "video", ""],
      ["cut.jpg", "left_out", "undecodable"],
      ["deep/er/b.jpg", "kept", "images/deep/er/b.jpg.jpg"],
      ["empty.jpg", "left_out", "not_an_image"],
      ["long.jpg", "left_out", "too_elongated"],
      ["notes.txt", "left_out", "not_an_image"],
      ["small.jpg", "left_out", "too_small"],
      ["text.jpg", "left_out", "not_an_image"],
      ["torn.mp4", "kept", "images/torn.mp4/00000000.jpg"],
      ["torn.mp4", "left_out", "undecodable"],
      ["whole.jpg", "kept", "images/whole.jpg.jpg"],
    ]);
    expect(lines[1]).toEqual({
      kind: "left_out",
      source: "a.jpg",
      sha256: sha256Of(original),
      reason: "duplicate",
      detail: "Expected other bytes than those of a-copy.jpg",
    });
    expect(lines[7]).toMatchObject({ detail: "Expected a whole image, this jpeg is cut off or damaged" });
    expect(lines[4]).toMatchObject({ frame: 10, timeS: 1, width: 300, height: 240, asItWas: false });
    expect(lines[6]).toMatchObject({
      framesDecoded: 25,
      framesTaken: 3,
      framesKept: 3,
      decodeErrors: 2,
      firstDecodeErrors: ["bad", "worse"],
    });
    expect(Buffer.compare(await readFile(join(into, "images/a-copy.jpg.jpg")), original)).toBe(0);
    for (const line of lines)
      if (line.kind === "kept") expect((await stat(join(into, line.image))).size).toBe(line.sizeBytes);

    // It is a data set of images, and what the file beside them says is no part of its digest.
    const dataset = await openDataset(into, { format: "images" });
    expect(dataset.samples).toHaveLength(8);
    await rm(join(into, CURATION_LOG));
    expect((await openDataset(into, { format: "images" })).digest).toBe(dataset.digest);
  });

  it("keeps files of the same bytes when it is told to, videos too", async () => {
    for (const way of ["a.jpg", "b/a.jpg"]) await draw(way, 300, 300, 1);
    for (const way of ["a.mp4", "b.mp4"]) await writeFile(join(sources, way), "12");
    const without = await curate(await emptyFolder());
    expect(without).toMatchObject({ kept: 3, videos: 1, leftOut: { duplicate: 2 } });
    expect(await curate(await emptyFolder(), { excludeDuplicates: false })).toMatchObject({ kept: 6, videos: 2 });
  });

  it("gives the reason of the first for files of the same bytes that are left out", async () => {
    for (const way of ["a.jpg", "b.jpg", "c.jpg"]) await draw(way, 100, 300, 1);
    await draw("d.jpg", 300, 300, 1);
    expect((await curate(await emptyFolder())).leftOut).toMatchObject({ too_small: 3, duplicate: 0 });
  });

  it("of which nothing may be kept is an error that says why", async () => {
    for (const way of ["a.jpg", "b.jpg"]) await draw(way, 100, 300, way.charCodeAt(0));
    await writeFile(join(sources, "notes.txt"), "a text");
    await expect(curate(await emptyFolder())).rejects.toMatchObject({
      code: "failed_precondition",
      reason: "NO_IMAGES_LEFT",
      message: `Expected at least one image below ${sources} to keep, of 3 files none is left: 2 too small, 1 not an image`,
    });
    await rm(sources, { recursive: true });
    await mkdir(sources);
    await expect(curate(await emptyFolder())).rejects.toThrow("it has no files");
  });
});

describe("a curation that was stopped", () => {
  const COUNT = 60;
  let whole: Record<string, string>;
  beforeEach(async () => {
    for (let i = 0; i < COUNT; i++) {
      // Some are too small, some are copies of the one before them.
      const shade = i % 7 === 3 ? i - 1 : i;
      await draw(`${i % 4}/${String(i).padStart(2, "0")}.jpg`, i % 5 === 4 ? 200 : 230, 230, shade);
    }
    // Names with what readers of lines may take for the end of one, and as long as names can be.
    const names = ["0/line\u2028separator.jpg", "0/new\nline.jpg", `0/${"x".repeat(251)}.jpg`];
    for (const [i, name] of names.entries()) await draw(name, 230, 230, 100 + i);
    // Neighbours with the same bytes, wherever files begin to be judged together.
    for (const name of "abcdefghijkl") await draw(`0/copy-${name}.jpg`, 230, 230, 200);
    for (const name of "abcd")
      await writeFile(
        join(sources, "0", `cut-${name}.jpg`),
        (await draw("0/z.jpg", 230, 230, 7)).subarray(0, 400 + name.charCodeAt(0)),
      );
    await writeFile(join(sources, "1", "clip.mp4"), "200");
    await writeFile(join(sources, "5.mp4"), "95");
    const into = await emptyFolder();
    await curate(into);
    whole = await contentsOf(into);
  });

  /** Stops after so much was judged, and answers what it has left. */
  async function stopAfter(judged: number, into: string): Promise<CurationLine[]> {
    const abort = new AbortController();
    const reason = new Error("told to stop");
    const stopping = curate(
      into,
      {},
      { signal: abort.signal, onProgress: (progress) => progress.judged >= judged && abort.abort(reason) },
    );
    await expect(stopping).rejects.toBe(reason);
    return linesOf(into);
  }
  /** Makes all of its files old, so that those that are written again can be told. */
  async function age(into: string, lines: readonly CurationLine[]) {
    const images = lines.flatMap((line) => (line.kind === "kept" ? [join(into, line.image)] : []));
    for (const image of images) await utimes(image, 1000, 1000);
    return async () => {
      const times = await Promise.all(images.map(async (image) => (await stat(image)).mtimeMs));
      return times.filter((timeMs) => timeMs === 1_000_000).length;
    };
  }

  it.each([1, 18, 30, 40])(
    "after %i files goes on to the same files, byte for byte, and makes none again",
    async (judged) => {
      const into = await emptyFolder();
      const lines = await stopAfter(judged, into);
      expect(lines.length).toBeGreaterThanOrEqual(judged);
      expect(Object.keys(await contentsOf(into)).length).toBeLessThan(Object.keys(whole).length);
      const untouched = await age(into, lines);
      const progress: CurationProgress[] = [];
      await curate(into, {}, { onProgress: (each) => progress.push(each) });
      expect(await contentsOf(into)).toEqual(whole);
      expect(await untouched()).toBe(lines.filter(({ kind }) => kind === "kept").length);
      const done = new Set(
        lines.filter((line) => line.kind === "video" || line.frame === undefined).map(({ source }) => source),
      );
      expect(progress[0]!.sourcesBefore).toBe(done.size);
    },
  );

  it("goes on also when what it has left is torn: a line, an image, and one that no line names", async () => {
    const into = await emptyFolder();
    const lines = await stopAfter(30, into);
    await appendFile(join(into, CURATION_LOG), '{"kind":"kept","source":"2/1');
    const images = lines.flatMap((line) => (line.kind === "kept" ? [line.image] : []));
    await truncate(join(into, images.at(-3)!), 100);
    await writeFile(join(into, "images", "stranger.jpg"), "");
    await curate(into);
    expect(await contentsOf(into)).toEqual(whole);
  });

  it("goes on from nothing when all that it has left is lost, and ends at once when all is done", async () => {
    const into = await emptyFolder();
    await stopAfter(30, into);
    await rm(join(into, CURATION_LOG));
    const counts = await curate(into);
    expect(await contentsOf(into)).toEqual(whole);
    const copy = await emptyFolder();
    await cp(into, copy, { recursive: true });
    const untouched = await age(copy, await linesOf(copy));
    expect(await curate(copy)).toEqual(counts);
    expect(await untouched()).toBe(counts.kept);
  });

  it("whose folder was taken over writes nothing more, and does not make it again", async () => {
    const into = await emptyFolder();
    const taken = await emptyFolder();
    await rm(taken, { recursive: true });
    let moved = false;
    const running = curate(
      into,
      {},
      {
        onProgress() {
          if (moved) return;
          moved = true;
          spawnSync("mv", [into, taken]);
        },
      },
    );
    await expect(running).rejects.toMatchObject({ code: "ENOENT" });
    await expect(stat(into)).rejects.toMatchObject({ code: "ENOENT" });
    await curate(taken);
    expect(await contentsOf(taken)).toEqual(whole);
  });

  it("by a full disk says what the system said, and goes on when there is room", async () => {
    const into = await emptyFolder();
    const program = `
      import { curateFolder } from ${JSON.stringify(new URL("./curate-folder.ts", import.meta.url).href)};
      const readVideo = async function* () { throw new Error("none is read"); };
      const options = ${JSON.stringify(curationOptionsSchema.parse({}))};
      const failure = await curateFolder(${JSON.stringify(sources)}, ${JSON.stringify(into)}, options, { readVideo }).catch((error) => error);
      process.stdout.write(failure.code);`;
    // What is written down of the first files is larger than that; images are smaller.
    const command = ["-c", 'ulimit -f 4 && exec "$0" "$@"', process.execPath, "--input-type=module", "-e", program];
    const { stdout, stderr } = spawnSync("bash", command, { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "EFBIG", stderr: "" });
    const lines = await linesOf(into);
    expect(lines.length).toBeGreaterThan(4);
    const untouched = await age(into, lines);
    await curate(into);
    expect(await contentsOf(into)).toEqual(whole);
    expect(await untouched()).toBe(lines.filter(({ kind }) => kind === "kept").length);
  });
});
