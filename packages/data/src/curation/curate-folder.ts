import { curatePictures, PICTURES_AT_ONCE } from "./curate-pictures.ts";
import { curateVideo } from "./curate-video.ts";
import { type CurationCounts, describeExclusions } from "./curation-counts.ts";
import { openCurationLog } from "./curation-log.ts";
import type { CurationOptions } from "./curation-options.ts";
import { createImageFolder } from "./image-folder.ts";
import type { VideoReader } from "./sample-frames.ts";
import { type SourceFile, walkSources } from "./walk-sources.ts";

/** Thrown when nothing of a folder may be kept. */
export class NoImagesLeftError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "NO_IMAGES_LEFT";

  constructor(directory: string, counts: CurationCounts) {
    const { sources } = counts;
    const why = sources === 0 ? "it has no files" : `of ${sources} files none is left: ${describeExclusions(counts)}`;
    super(`Expected at least one image below ${directory} to keep, ${why}`);
    this.name = "NoImagesLeftError";
  }
}

/** How far a curation is. */
export interface CurationProgress {
  readonly counts: CurationCounts;
  /** Files that it is made of, as they were counted at its start. */
  readonly totalSources: number;
  /** Files that were done by earlier attempts. */
  readonly sourcesBefore: number;
  /** Pictures, frames and other files that were judged since the start. */
  readonly judged: number;
}

/** How a curation is watched and stopped, and by what videos are read. */
export interface CurationControl {
  readonly readVideo: VideoReader;
  /** Stops it after the files in work; what is done stays and is gone on with. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CurationProgress) => void;
}

/** Files whose lines are written at once: what a killed attempt judges again at most. */
const BATCH = 2 * PICTURES_AT_ONCE;

/**
 * Makes images to pretrain on of the pictures and videos below a folder, by Face9M's recipe: what is too small or too
 * elongated is left out, the rest becomes `size` x `size`. They and a file that says what became of each source
 * (CURATION_LOG) are written into another folder; when that holds what an earlier, stopped call has left, it goes on there,
 * and in the end the folder has the same files as if it had never been stopped.
 *
 * What cannot be read or decoded is a line of that file and ends nothing.
 *
 * @param folder is there
 * @throws {NoImagesLeftError} when nothing is kept
 * @throws the signal's reason, and what the system says when files cannot be written; what is done stays
 */
export async function curateFolder(
  directory: string,
  folder: string,
  options: CurationOptions,
  { readVideo, signal, onProgress }: CurationControl,
): Promise<CurationCounts> {
  const log = await openCurationLog(folder);
  const work = { directory, options, log, signal, images: createImageFolder(folder) };
  const totalSources = await countSources(directory, signal);
  const sourcesBefore = log.counts().sources;
  let judged = 0;
  const advance = (count: number): void => {
    judged += count;
    onProgress?.({ counts: log.counts(), totalSources, sourcesBefore, judged });
  };
  const batch: SourceFile[] = [];
  const flush = async (): Promise<void> => {
    signal?.throwIfAborted();
    if (batch.length === 0) return;
    const files = batch.splice(0);
    await curatePictures(files, work);
    advance(files.length);
  };
  for await (const file of walkSources(directory)) {
    if (log.isDone(file.way)) continue;
    if (file.kind === "video") {
      await flush();
      await curateVideo(file.way, work, { readVideo, onFrames: advance });
      advance(0);
    } else if (batch.push(file) >= BATCH) await flush();
  }
  await flush();
  const counts = log.counts();
  if (counts.kept === 0) throw new NoImagesLeftError(directory, counts);
  return counts;
}

/** Counted before: names are read fast, and only who knows how many there are can say how long it takes. */
async function countSources(directory: string, signal: AbortSignal | undefined): Promise<number> {
  let count = 0;
  for await (const _ of walkSources(directory)) {
    signal?.throwIfAborted();
    count++;
  }
  return count;
}
