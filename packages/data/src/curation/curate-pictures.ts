import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type CuratedImage, curateImage } from "./curate-image.ts";
import type { CurationLine } from "./curation-line.ts";
import type { CurationLog } from "./curation-log.ts";
import type { CurationOptions } from "./curation-options.ts";
import type { ImageFolder } from "./image-folder.ts";
import { inParallel } from "./in-parallel.ts";
import { resultWay } from "./source-way.ts";
import { type SourceFile, unreadableCode } from "./walk-sources.ts";

/** What a curation works with. */
export interface CurationWork {
  /** The folder of the sources. */
  readonly directory: string;
  readonly options: CurationOptions;
  readonly images: ImageFolder;
  readonly log: CurationLog;
  readonly signal?: AbortSignal | undefined;
}

/** Pictures that are read and judged at once. What decodes them has threads of its own (libuv's), which are fewer. */
export const PICTURES_AT_ONCE = Math.min(availableParallelism() + 2, 16);
/** Larger files are not read. */
const MAX_FILE_BYTES = 64 * 2 ** 20;

/** What was made of a source; what is kept has bytes. */
interface Judged extends CuratedImage {
  readonly source: string;
  readonly sha256?: string;
}

/** Judges some files in the order of the walk, writes the images that are kept, and then their lines. */
export async function curatePictures(files: readonly SourceFile[], work: CurationWork): Promise<void> {
  const { images, log, options } = work;
  const judge = createJudge(work);
  const judged = await inParallel(files, PICTURES_AT_ONCE, judge);
  const kept = new Map<string, string>();
  const lines: CurationLine[] = [];
  const writing: (readonly [string, Uint8Array])[] = [];
  // In their order: of equal ones the first is kept, whichever was read first.
  for (const each of judged) {
    const { source, sha256 } = each;
    const same =
      options.excludeDuplicates && sha256 !== undefined ? (log.keptSource(sha256) ?? kept.get(sha256)) : undefined;
    const image = same === undefined ? each : duplicateOf(same, each);
    const line = lineOf(image);
    lines.push(line);
    if (line.kind !== "kept") continue;
    if (sha256 !== undefined) kept.set(sha256, source);
    writing.push([line.image, image.bytes!]);
  }
  await inParallel(writing, PICTURES_AT_ONCE, ([way, bytes]) => images.write(way, bytes));
  await log.append(lines);
}

/** Of files with the same bytes one is judged, for all of them. */
function createJudge({ directory, options, log, signal }: CurationWork): (file: SourceFile) => Promise<Judged> {
  const inWork = new Map<string, Promise<CuratedImage>>();
  return async ({ way: source, kind, problem }) => {
    signal?.throwIfAborted();
    if (kind === "other") return { source, exclusion: { reason: "not_an_image", detail: problem! } };
    const bytes = await read(join(directory, source));
    if (!(bytes instanceof Uint8Array)) return { source, ...bytes };
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (options.excludeDuplicates && log.keptSource(sha256) !== undefined) return { source, sha256 };
    const judging = inWork.get(sha256) ?? curateImage(bytes, options);
    inWork.set(sha256, judging);
    return { source, sha256, ...(await judging) };
  };
}

/** A file's bytes, or why they are not read. @throws what the system says when it is not this file's fault */
async function read(path: string): Promise<Uint8Array | CuratedImage> {
  try {
    const { size } = await stat(path);
    if (size <= MAX_FILE_BYTES) return await readFile(path);
    const detail = `Expected a file of at most ${MAX_FILE_BYTES} bytes, got ${size}`;
    return { exclusion: { reason: "too_large", detail } };
  } catch (error) {
    const code = unreadableCode(error);
    if (code === undefined) throw error;
    return {
      exclusion: { reason: "undecodable", detail: `Expected a file that can be read, the system says ${code}` },
    };
  }
}

/** Without its size, which is not always known: what a line says must not depend on what else was in work. */
const duplicateOf = (same: string, { source, sha256 }: Judged): Judged => ({
  source,
  ...(sha256 !== undefined && { sha256 }),
  exclusion: { reason: "duplicate", detail: `Expected other bytes than those of ${same}` },
});

/** The line of what was made of a file, or of a frame of it. */
export function lineOf(
  { source, sha256, width, height, exclusion, bytes, isAsItWas = false }: Judged,
  frame?: { readonly frame: number; readonly timeS?: number },
): CurationLine {
  const about = {
    source,
    ...frame,
    ...(sha256 !== undefined && { sha256 }),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
  };
  if (exclusion !== undefined) return { kind: "left_out", ...about, ...exclusion };
  const image = resultWay(source, frame?.frame);
  return { kind: "kept", ...about, image, sizeBytes: bytes!.length, asItWas: isAsItWas };
}
