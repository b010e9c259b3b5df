import { join } from "node:path";
import { type AuModel, type DetectedFace, type Detection, FaceTracker, type FoundImage } from "@duchenne/vision";
import type { Ffmpeg } from "./ffmpeg/find-ffmpeg.ts";
import { openVideo, type VideoFrame, type VideoSummary } from "./ffmpeg/open-video.ts";
import type { FaceRow } from "./table/column.ts";
import { type ColumnSet, columnsOf } from "./table/column-sets.ts";
import { createTable, type TableFormat, type TableWriter } from "./table/table-writer.ts";

/** How a video is analysed. */
export interface AnalyzeOptions {
  readonly ffmpeg: Ffmpeg;
  readonly model: AuModel;
  readonly columns: ColumnSet;
  readonly formats: readonly TableFormat[];
  /** The folder of the tables, `faces.csv` and so on; it exists. */
  readonly folder: string;
  /** At most this many faces a frame, the largest first. */
  readonly maxFaces: number;
  /** The whole frame is searched for faces every so many frames, and when a face is lost. */
  readonly detectEvery: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: AnalysisProgress) => void) | undefined;
}

/** How far an analysis is. */
export interface AnalysisProgress {
  /** Frames that are in the tables. */
  readonly frames: number;
  /** Share of the video's time in 0..1; 0 when its container says no duration. */
  readonly fraction: number;
}

/** What an analysis came to. */
export interface AnalysisSummary extends VideoSummary {
  /** Rows of each table. */
  readonly rows: number;
  readonly framesWithFaces: number;
  /** Faces that were told apart. */
  readonly faces: number;
}

/** Frames between the decoder and the tables: one whose faces are found, one that is scored, one on its way. */
export const FRAMES_IN_FLIGHT = 3;
/** Faces are remembered for so long after they were lost, in milliseconds of the video. */
const FACE_MEMORY_MS = 10_000;

interface InFlight {
  readonly frame: VideoFrame;
  readonly timeMs: number;
  readonly scored: Promise<{ readonly found: FoundImage; readonly detection: Detection }>;
}

/** The file of a format. */
export const tableFile = (format: TableFormat): string => `faces.${format}`;

/**
 * Scores the faces of every frame of a video file, and writes a row for each face, and one for each frame without. Faces
 * keep their ids from frame to frame. At most FRAMES_IN_FLIGHT frames are in memory, however long the video is, and the
 * same file and model give the same tables.
 *
 * @throws what the frames of openVideo throw, and the signal's reason; the tables are then not whole
 */
export async function analyzeVideo(path: string, options: AnalyzeOptions): Promise<AnalysisSummary> {
  const { ffmpeg, model, formats, folder, signal } = options;
  const columns = columnsOf(options.columns, { model: model.describe(), video: path });
  const tables: TableWriter[] = [];
  const video = openVideo(path, { ffmpeg, signal });
  const scorer = createFrameScorer(options);
  const count = { rows: 0, framesWithFaces: 0, faces: 0 };
  const inFlight: InFlight[] = [];
  const progress = createProgress(options, video.durationS);

  /** Puts the oldest frame into the tables. */
  const settleOldest = async (): Promise<void> => {
    const { frame, timeMs, scored } = inFlight.shift()!;
    const { found, detection } = await scored;
    const faces = scorer.identify(found, detection, timeMs);
    for (const face of faces) count.faces = Math.max(count.faces, face.id);
    if (faces.length > 0) count.framesWithFaces++;
    for (const face of faces.length > 0 ? faces : [undefined]) {
      const row: FaceRow = { frame: frame.index, timestampS: frame.timestampS, face };
      for (const table of tables) await table.write(row);
      count.rows++;
    }
    progress(frame);
  };

  try {
    for (const format of formats) tables.push(await createTable(join(folder, tableFile(format)), format, columns));
    for (let next = await video.frames.next(); ; next = await video.frames.next()) {
      if (next.done === true) {
        while (inFlight.length > 0) await settleOldest();
        await closeAll(tables);
        return { ...next.value, ...count };
      }
      inFlight.push(scorer.start(next.value));
      if (inFlight.length >= FRAMES_IN_FLIGHT) await settleOldest();
    }
  } catch (error) {
    await video.frames.return({ frames: 0, packets: undefined, errorCount: 0, errors: [] }).catch(() => {});
    await Promise.allSettled(inFlight.map(({ scored }) => scored));
    await Promise.allSettled(tables.map((table) => table.close()));
    throw error;
  }
}

async function closeAll(tables: TableWriter[]): Promise<void> {
  while (tables.length > 0) await tables.shift()!.close();
}

interface IdentifiedFace {
  readonly id: number;
  readonly found: DetectedFace;
}

/** Scores frames in their order, and follows faces from one to the next. */
function createFrameScorer({ model, maxFaces, detectEvery, signal }: AnalyzeOptions) {
  const tracker = new FaceTracker({ detectEvery, memoryMs: FACE_MEMORY_MS });
  const stream = {};
  let lastMs = 0;
  return {
    start(frame: VideoFrame): InFlight {
      const { width, height, data, timestampS } = frame;
      const image = { format: "rgb", width, height, stride: 0, data, colors: "bt601-limited" } as const;
      // Without a time of its own a frame counts as shown at once with the one before.
      const frameTimeMs = timestampS === undefined ? lastMs : 1000 * timestampS;
      lastMs = frameTimeMs;
      const scheduling = { stream, tracker, frameTimeMs, signal };
      const work = async () => {
        const found = await model.find({ image, maxFaces, headPose: true }, scheduling);
        return { found, detection: await model.score(found, { stream, signal }) };
      };
      const scored = work();
      // It is awaited in its turn, when another may have failed before.
      scored.catch(() => {});
      return { frame, timeMs: frameTimeMs, scored };
    },
    /** In the order of the frames: without following, ids are given here. */
    identify(found: FoundImage, { faces }: Detection, timeMs: number): IdentifiedFace[] {
      const ids = found.faceIds ?? tracker.update(found, timeMs);
      return faces.map((face, i) => ({ id: Number(ids[i]), found: face }));
    },
  };
}

function createProgress({ onProgress }: AnalyzeOptions, durationS: () => number | undefined) {
  let firstS: number | undefined;
  return ({ index, timestampS }: VideoFrame): void => {
    firstS ??= timestampS;
    const duration = durationS();
    const passedS = (timestampS ?? 0) - (firstS ?? 0);
    const fraction = duration === undefined || duration <= 0 ? 0 : Math.min(Math.max(passedS / duration, 0), 1);
    onProgress?.({ frames: index + 1, fraction });
  };
}
