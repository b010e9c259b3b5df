import { appendFile, open as openFile, readdir, rename, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { parseJson } from "../json-lines.ts";
import { type CurationCounts, createTally } from "./curation-counts.ts";
import { type CurationLine, curationLineSchema, endsSource, type KeptLine } from "./curation-line.ts";
import { compareWays } from "./source-way.ts";

/** The file in the data set's folder that says what became of each source. It is no image: the digest does not cover it. */
export const CURATION_LOG = "curation.jsonl";

/** What is done of a curation, and where it is written down. */
export interface CurationLog {
  counts(): CurationCounts;
  /** Whether nothing more is to be done with a source; sources come in the order in which they are walked. */
  isDone(source: string): boolean;
  /** Of a video in whose middle an earlier attempt ended: its lines so far. */
  framesOf(source: string): readonly CurationLine[];
  /** The source whose bytes these are, by their sha256, when an image of it was kept. */
  keptSource(sha256: string): string | undefined;
  /** Writes lines down. The images that they name must be there. */
  append(lines: readonly CurationLine[]): Promise<void>;
}

/** Lines whose images are looked for at once. */
const LINES_AT_ONCE = 64;

/**
 * Goes on with what an earlier attempt has left in a folder, or starts. What is not whole is taken back: a line that was cut
 * off, an image that is not as its line says and all that came after it, and images that no line names.
 */
export async function openCurationLog(folder: string): Promise<CurationLog> {
  const path = join(folder, CURATION_LOG);
  const tally = createTally();
  const images = new Set<string>();
  /** By the bytes of a digest, which take half of the memory of its hexadecimal digits. */
  const kept = new Map<string, string>();
  const open = { frames: [] as CurationLine[], hasKept: false };
  let last: CurationLine | undefined;

  const add = (line: CurationLine): void => {
    tally.add(line);
    if (last?.source !== line.source) {
      open.frames = [];
      open.hasKept = false;
    }
    last = line;
    if (line.kind === "kept") open.hasKept = true;
    if (!endsSource(line)) open.frames.push(line);
    else if (line.sha256 !== undefined && open.hasKept) {
      const key = keyOf(line.sha256);
      if (!kept.has(key)) kept.set(key, line.source);
    }
  };

  const again = `${path}.next`;
  await rm(again, { force: true });
  for await (const lines of soundLines(folder, path)) {
    for (const line of lines) {
      add(line);
      if (line.kind === "kept") images.add(line.image);
    }
    if (lines.length > 0) await appendFile(again, textOf(lines));
  }
  if (last === undefined) await rm(path, { force: true });
  // Another file: an attempt that was stopped in the middle of a write has the old one open.
  else await rename(again, path);
  await removeOthers(folder, "images", images);
  let sizeBytes = last === undefined ? 0 : (await stat(path)).size;

  return {
    counts: tally.counts,
    isDone: (source) => {
      if (last === undefined) return false;
      const order = compareWays(source, last.source);
      return order < 0 || (order === 0 && endsSource(last));
    },
    framesOf: (source) => (last?.source === source ? open.frames : []),
    keptSource: (sha256) => kept.get(keyOf(sha256)),
    async append(lines) {
      if (lines.length === 0) return;
      const text = textOf(lines);
      try {
        await appendFile(path, text);
      } catch (error) {
        // Half a line would be taken back by the next attempt anyway; this one's file is left whole.
        await truncate(path, sizeBytes).catch(() => {});
        throw error;
      }
      sizeBytes += Buffer.byteLength(text);
      for (const line of lines) add(line);
    },
  };
}

/** What a finished curation has come to, from its file. */
export async function readCurationCounts(folder: string): Promise<CurationCounts> {
  const tally = createTally();
  for await (const line of readLines(join(folder, CURATION_LOG))) tally.add(line);
  return tally.counts();
}

const keyOf = (sha256: string): string => Buffer.from(sha256, "hex").toString("latin1");

/** Fields in the schema's order, whoever made the line. Names may hold what Node's readers of lines take for the end of one. */
function textOf(lines: readonly CurationLine[]): string {
  const texts = lines.map((line) => `${JSON.stringify(curationLineSchema.parse(line))}\n`);
  return texts.join("").replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** The lines from the first on, in batches, up to the first that is none or whose image is not there as it says. */
async function* soundLines(folder: string, path: string): AsyncGenerator<readonly CurationLine[]> {
  let batch: CurationLine[] = [];
  for await (const line of readLines(path)) {
    batch.push(line);
    if (batch.length < LINES_AT_ONCE) continue;
    const sound = await soundOf(folder, batch);
    yield sound;
    if (sound.length < batch.length) return;
    batch = [];
  }
  yield await soundOf(folder, batch);
}

async function soundOf(folder: string, lines: readonly CurationLine[]): Promise<readonly CurationLine[]> {
  const are = await Promise.all(lines.map((line) => line.kind !== "kept" || isThere(folder, line)));
  const first = are.indexOf(false);
  return first < 0 ? lines : lines.slice(0, first);
}

async function isThere(folder: string, { image, sizeBytes }: KeptLine): Promise<boolean> {
  const found = await stat(join(folder, image)).catch(() => undefined);
  return found?.isFile() === true && found.size === sizeBytes;
}

/** The lines of a file up to the first that is none; the last of a file that was cut off may be half of one. */
async function* readLines(path: string): AsyncGenerator<CurationLine> {
  const file = await openFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  if (file === undefined) return;
  for await (const text of file.readLines()) {
    const line = curationLineSchema.safeParse(parseJson(text));
    if (!line.success) return;
    yield line.data;
  }
}

/** Removes the files below a folder that are not among the given. */
async function removeOthers(root: string, folder: string, keep: ReadonlySet<string>): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const way = `${folder}/${entry.name}`;
    if (entry.isDirectory()) await removeOthers(root, way, keep);
    else if (!keep.has(way)) await rm(join(root, way));
  }
}
