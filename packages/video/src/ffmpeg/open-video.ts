import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { type Ffmpeg, FfmpegMissingError } from "./find-ffmpeg.ts";
import { FrameLog, type FrameMark } from "./frame-log.ts";
import { FfmpegEndedError, UnreadableVideoError, VideoTooLargeError } from "./video-errors.ts";

/** A decoded frame. */
export interface VideoFrame {
  /** From 0, in the order of presentation. */
  readonly index: number;
  /** The container's presentation time, in seconds; undefined when the container has none. */
  readonly timestampS: number | undefined;
  readonly width: number;
  readonly height: number;
  /** Red, green, blue, in rows without gaps; the caller's to keep. */
  readonly data: Uint8Array;
}

/** What became of a video when all of it was read. */
export interface VideoSummary {
  /** Frames that were decoded. */
  readonly frames: number;
  /** Packets of its video stream. More than frames: some are damaged, or hold no frame that is shown (VP8, VP9). */
  readonly packets: number | undefined;
  /** What ffmpeg met on its way, such as a damaged stretch. */
  readonly errorCount: number;
  /** The first of these, in ffmpeg's words. */
  readonly errors: readonly string[];
}

/** A video that is being read. */
export interface OpenVideo {
  /** Its frames; once. Nothing is read ahead but what the pipe and ffmpeg's own queues hold. */
  readonly frames: AsyncGenerator<VideoFrame, VideoSummary, undefined>;
  /** The container's duration, in seconds; known from the first frame on, where the container says it. */
  durationS(): number | undefined;
  /** Frames that ffmpeg has decoded so far: hardly more than were taken. */
  announced(): number;
}

/** How a video is read. */
export interface OpenVideoOptions {
  readonly ffmpeg: Ffmpeg;
  /** The longest side taken, in pixels. Default: 8192. */
  readonly maxSide?: number;
  /** Ends ffmpeg; the frames then throw the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Containers that are read. Playlists and scripts are not among them: they name other files and addresses, which ffmpeg
 * would open.
 */
const CONTAINERS =
  "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,ogg,mxf,nut,ivf,h264,hevc,m4v,av1,obu,gif,dv,yuv4mpegpipe,rm,wtv";

/**
 * Reads a video file's frames through ffmpeg, one process a file. Every frame that can be decoded comes once, with the time
 * that the container gives it: none is dropped or doubled to make the rate even. Rotation that the container asks for is
 * applied. When the size changes in its middle, later frames are scaled to that of the first. What is damaged is passed
 * over and counted.
 *
 * The frames throw UnreadableVideoError when there is not one, VideoTooLargeError, FfmpegEndedError, FfmpegMissingError.
 */
export function openVideo(path: string, options: OpenVideoOptions): OpenVideo {
  const log = new FrameLog();
  return { frames: readFrames(path, options, log), durationS: () => log.durationS, announced: () => log.announced };
}

async function* readFrames(
  path: string,
  { ffmpeg, maxSide = 8192, signal }: OpenVideoOptions,
  log: FrameLog,
): AsyncGenerator<VideoFrame, VideoSummary, undefined> {
  signal?.throwIfAborted();
  const child = spawn(ffmpeg.program, argumentsFor(path, ffmpeg), { stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => void child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  const ended = endOf(child);
  createInterface({ input: child.stderr })
    .on("line", (line) => log.add(line))
    .on("close", () => log.end());
  try {
    let frames = 0;
    let first: FrameMark | undefined;
    let current: { readonly mark: FrameMark; readonly data: Uint8Array; filled: number } | undefined;
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        if (current === undefined) {
          const mark = await log.next();
          if (mark === undefined) throw new FfmpegEndedError("sent more pixels than it announced", frames, log.errors);
          first ??= checkSize(mark, maxSide);
          current = { mark, data: new Uint8Array(3 * first.width * first.height), filled: 0 };
        }
        const { data, filled } = current;
        const part = chunk.subarray(at, at + data.length - filled);
        data.set(part, filled);
        at += part.length;
        current.filled += part.length;
        if (current.filled < data.length) continue;
        const { timestampS } = current.mark;
        current = undefined;
        yield { index: frames++, timestampS, width: first!.width, height: first!.height, data };
      }
    }
    const how = await ended;
    signal?.throwIfAborted();
    if (how.signal !== null) throw new FfmpegEndedError(`was ended by ${how.signal}`, frames, log.errors);
    if (frames === 0) throw new UnreadableVideoError(path, log.errors);
    if (current !== undefined || log.waiting > 0) {
      throw new FfmpegEndedError(`ended with code ${how.code} amid a frame`, frames, log.errors);
    }
    return { frames, packets: log.packets, errorCount: log.errorCount, errors: log.errors };
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", kill);
    kill();
    await ended.catch(() => {});
  }
}

function argumentsFor(path: string, { passThrough }: Ffmpeg): string[] {
  const input = ["-protocol_whitelist", "file", "-format_whitelist", CONTAINERS, "-i", `file:${resolve(path)}`];
  return [
    ...["-hide_banner", "-nostdin", "-nostats", "-v", "repeat+level+verbose"],
    // Times as they stand in the container; damaged parts do not fail the whole.
    ...["-copyts", "-max_error_rate", "1"],
    ...input,
    // Capital V: covers of music files are no video.
    ...["-map", "0:V:0", "-vf", "showinfo,format=rgb24", ...passThrough],
    ...["-f", "rawvideo", "-c:v", "rawvideo", "pipe:1"],
  ];
}

interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  const ended = new Promise<ProcessEnd>((resolve, reject) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => reject(new FfmpegMissingError({ cause: error })));
  });
  // Awaited when its output has ended.
  ended.catch(() => {});
  return ended;
}

function checkSize(mark: FrameMark, maxSide: number): FrameMark {
  if (Math.max(mark.width, mark.height) > maxSide) throw new VideoTooLargeError(maxSide, mark.width, mark.height);
  return mark;
}
