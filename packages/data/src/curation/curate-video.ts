import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type CuratedImage, curateFrame } from "./curate-image.ts";
import { type CurationWork, lineOf } from "./curate-pictures.ts";
import type { CurationLine } from "./curation-line.ts";
import { sampleFrames, type TimedFrame, UnusableVideoError, type VideoReader } from "./sample-frames.ts";
import { unreadableCode } from "./walk-sources.ts";

/** Frames that are judged at once: each of a large video has tens of megabytes. */
const FRAMES_AT_ONCE = 4;

/** How a video is read. */
interface VideoUse {
  readonly readVideo: VideoReader;
  /** Called when frames are done. */
  readonly onFrames: (count: number) => void;
}

/**
 * Takes frames of a video at an even rate, writes those that are kept and their lines, and at its end a line of its own. A
 * video in whose middle an earlier attempt ended is decoded again, but what was done of it stays.
 */
export async function curateVideo(
  source: string,
  work: CurationWork,
  { readVideo, onFrames }: VideoUse,
): Promise<void> {
  const { directory, options, log, images, signal } = work;
  const path = join(directory, source);
  const digest = await digestOf(path, signal);
  if (digest.sha256 === undefined) return log.append([digest.line(source)]);
  const { sha256 } = digest;
  const same = options.excludeDuplicates ? log.keptSource(sha256) : undefined;
  if (same !== undefined) {
    const detail = `Expected other bytes than those of ${same}`;
    return log.append([{ kind: "left_out", source, sha256, reason: "duplicate", detail }]);
  }

  const done = log.framesOf(source);
  let [taken, kept] = [done.length, done.filter(({ kind }) => kind === "kept").length];
  const last = Math.max(-1, ...done.map((line) => (line.kind === "video" ? -1 : line.frame!)));
  const inWork: { readonly frame: TimedFrame; readonly judging: Promise<CuratedImage> }[] = [];

  const settle = async (): Promise<void> => {
    const lines: CurationLine[] = [];
    for (const { frame, judging } of inWork.splice(0)) {
      const image = await judging;
      const { index, timestampS } = frame;
      const line = lineOf(
        { source, ...image },
        { frame: index, ...(timestampS !== undefined && { timeS: timestampS }) },
      );
      if (line.kind === "kept") await images.write(line.image, image.bytes!);
      lines.push(line);
    }
    await log.append(lines);
    taken += lines.length;
    kept += lines.filter(({ kind }) => kind === "kept").length;
    onFrames(lines.length);
  };

  const frames = sampleFrames(readVideo(path, signal), options.videoFramesPerSecond);
  try {
    for (;;) {
      const next = await frames.next();
      if (next.done === true) {
        await settle();
        const { frames: framesDecoded, errorCount, errors } = next.value;
        const met = { decodeErrors: errorCount, ...(errorCount > 0 && { firstDecodeErrors: [...errors] }) };
        return log.append([
          { kind: "video", source, sha256, framesDecoded, framesTaken: taken, framesKept: kept, ...met },
        ]);
      }
      if (next.value.index <= last) continue;
      const judging = curateFrame(next.value, options);
      // It is awaited in its turn, when another may have failed before.
      judging.catch(() => {});
      inWork.push({ frame: next.value, judging });
      if (inWork.length >= FRAMES_AT_ONCE) await settle();
    }
  } catch (error) {
    if (!(error instanceof UnusableVideoError)) throw error;
    await settle();
    await log.append([{ kind: "left_out", source, sha256, reason: error.exclusion, detail: error.message }]);
  } finally {
    await frames.return({ frames: 0, errorCount: 0, errors: [] });
  }
}

/** A video's sha256, or the line of one that cannot be read. */
async function digestOf(path: string, signal: AbortSignal | undefined) {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash, signal === undefined ? {} : { signal });
    return { sha256: hash.digest("hex") };
  } catch (error) {
    signal?.throwIfAborted();
    const code = unreadableCode(error);
    if (code === undefined) throw error;
    const detail = `Expected a file that can be read, the system says ${code}`;
    return {
      sha256: undefined,
      line: (source: string): CurationLine => ({ kind: "left_out", source, reason: "undecodable", detail }),
    };
  }
}
