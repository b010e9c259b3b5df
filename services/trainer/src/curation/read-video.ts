import { UnusableVideoError, type VideoReader } from "@duchenne/data";
import {
  type Ffmpeg,
  FfmpegEndedError,
  findFfmpeg,
  openVideo,
  UnreadableVideoError,
  VideoTooLargeError,
} from "@duchenne/video";

/**
 * Reads videos with the system's ffmpeg, which is looked for when there is a first one. An ffmpeg that was ended is started
 * once more: who stops a server from a terminal ends it as well, which is no fault of the video.
 *
 * What it reads throws UnusableVideoError and FfmpegMissingError.
 */
export function createVideoReader(program?: string): VideoReader {
  let looking: Promise<Ffmpeg> | undefined;
  return async function* readVideo(path, signal) {
    looking ??= findFfmpeg(program);
    const ffmpeg = await looking;
    let seen = 0;
    for (let isAgain = false; ; isAgain = true) {
      const { frames } = openVideo(path, { ffmpeg, signal });
      try {
        for (;;) {
          const next = await frames.next();
          if (next.done === true) return next.value;
          if (next.value.index < seen) continue;
          seen++;
          yield next.value;
        }
      } catch (error) {
        if (error instanceof UnreadableVideoError) throw new UnusableVideoError("undecodable", error.message);
        if (error instanceof VideoTooLargeError) throw new UnusableVideoError("too_large", error.message);
        if (!(error instanceof FfmpegEndedError)) throw error;
        if (isAgain) throw new UnusableVideoError("undecodable", error.message);
      } finally {
        await frames.return({ frames: 0, packets: undefined, errorCount: 0, errors: [] }).catch(() => {});
      }
    }
  };
}
