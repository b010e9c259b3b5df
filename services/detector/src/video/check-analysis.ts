import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { allowedPath, InvalidFieldError } from "@duchenne/control";
import { type CreateVideoAnalysisRequest, TableColumns, TableFormat } from "@duchenne/proto";
import type { Store } from "@duchenne/store";
import { type ColumnSet, findFfmpeg, type TableFormat as TableFormatName } from "@duchenne/video";
import { requireServable, resolveServed } from "../served-model.ts";
import type { AnalysisSpec } from "./analysis-spec.ts";

/** Thrown when there is no file where a video should be. */
class VideoNotFoundError extends InvalidFieldError {
  readonly reason = "VIDEO_NOT_FOUND";

  constructor(path: string) {
    super("video", `Expected a video file on the server, there is none at ${path}`);
  }
}

const COLUMNS: Readonly<Record<number, ColumnSet>> = {
  [TableColumns.OPENFACE]: "openface",
  [TableColumns.PYFEAT]: "pyfeat",
};

const FORMATS: Readonly<Record<number, TableFormatName>> = {
  [TableFormat.JSONL]: "jsonl",
  [TableFormat.CSV]: "csv",
  [TableFormat.PARQUET]: "parquet",
};

/** The table that a request names. */
export function tableFormatFrom(format: TableFormat): TableFormatName {
  // The rules of the protos refuse others before.
  return FORMATS[format]!;
}

/** What a request is checked against. */
export interface AnalysisDefaults {
  /** Folders that videos are read from; relative paths are taken below the first. */
  readonly roots: readonly string[];
  readonly maxFaces: number;
  readonly detectEvery: number;
  /** Whether the job will run on this machine, which then must have ffmpeg. */
  readonly runsHere: boolean;
}

/**
 * What a request asks for, checked as far as it can be before the job.
 *
 * @throws {DirectoryNotAllowedError} @throws {VideoNotFoundError} @throws {FfmpegMissingError} @throws {NotFoundError}
 * @throws {NotADetectorError} @throws {NotServableError}
 */
export async function checkAnalysis(
  store: Store,
  request: CreateVideoAnalysisRequest,
  { roots, maxFaces, detectEvery, runsHere }: AnalysisDefaults,
): Promise<AnalysisSpec> {
  const video = allowedPath("video", resolve(roots[0]!, request.video), roots);
  const found = await stat(video).catch(() => undefined);
  if (found?.isFile() !== true) throw new VideoNotFoundError(video);
  if (runsHere) await findFfmpeg();
  const { version } = await resolveServed(store, request.model);
  await requireServable(store, version);
  return {
    video,
    modelVersion: version,
    columns: COLUMNS[request.columns] ?? "duchenne",
    formats: request.formats.length === 0 ? ["csv"] : request.formats.map(tableFormatFrom),
    maxFaces: request.maxFaces || maxFaces,
    detectEvery: request.tracking?.detectEvery || detectEvery,
  };
}
