/** Video files: their frames through ffmpeg, and tables of the faces on them. */
export {
  type AnalysisProgress,
  type AnalysisSummary,
  type AnalyzeOptions,
  analyzeVideo,
  FRAMES_IN_FLIGHT,
  tableFile,
} from "./analyze-video.ts";
export { type Ffmpeg, FfmpegMissingError, findFfmpeg } from "./ffmpeg/find-ffmpeg.ts";
export {
  type OpenVideo,
  type OpenVideoOptions,
  openVideo,
  type VideoFrame,
  type VideoSummary,
} from "./ffmpeg/open-video.ts";
export { FfmpegEndedError, UnreadableVideoError, VideoTooLargeError } from "./ffmpeg/video-errors.ts";
export { COLUMN_SETS, type ColumnSet } from "./table/column-sets.ts";
export { TABLE_FORMATS, type TableFormat } from "./table/table-writer.ts";
