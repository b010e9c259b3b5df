/** Video files: their frames through ffmpeg. */
export { type Ffmpeg, FfmpegMissingError, findFfmpeg } from "./ffmpeg/find-ffmpeg.ts";
export {
  type OpenVideo,
  type OpenVideoOptions,
  openVideo,
  type VideoFrame,
  type VideoSummary,
} from "./ffmpeg/open-video.ts";
export { FfmpegEndedError, UnreadableVideoError, VideoTooLargeError } from "./ffmpeg/video-errors.ts";
