import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { curationOptionsSchema, walkSources } from "@duchenne/data";
import type { CurateDatasetRequest } from "@duchenne/proto";
import { FfmpegMissingError, findFfmpeg } from "@duchenne/video";
import { allowedPath } from "../allowed-path.ts";
import { InvalidFieldError } from "../invalid-field-error.ts";
import { datasetName } from "../resource-name.ts";
import type { CurationSpec } from "./curation-spec.ts";

/** Thrown when there is no folder where pictures should be. */
export class DirectoryNotFoundError extends InvalidFieldError {
  readonly reason = "DIRECTORY_NOT_FOUND";

  constructor(field: string, path: string) {
    super(field, `Expected a folder on the server, there is none at ${path}`);
  }
}

/** What a request is checked against. */
export interface CurationPlace {
  /** Folders that data sets may be made of; relative names are taken below the first. */
  readonly roots: readonly string[];
  /** Whether the job will run on this machine, which then must have ffmpeg if there are videos. */
  readonly runsHere: boolean;
}

/**
 * What a request asks to curate, checked as far as it can be before the job.
 *
 * @throws {DirectoryNotAllowedError} @throws {DirectoryNotFoundError} @throws {FfmpegMissingError} when there are videos
 */
export async function checkCuration(
  request: CurateDatasetRequest,
  { roots, runsHere }: CurationPlace,
): Promise<CurationSpec> {
  const { minSide, maxAspectRatio, size, videoFramesPerSecond, excludeDuplicates } = request;
  const directory = allowedPath("directory", resolve(roots[0]!, request.directory), roots);
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new DirectoryNotFoundError("directory", directory);
  if (runsHere) await requireFfmpegForVideos(directory);
  return {
    dataset: datasetName(request.datasetId),
    directory,
    description: request.description,
    license: request.license,
    curation: curationOptionsSchema.parse({
      ...(minSide !== 0 && { minSide }),
      ...(maxAspectRatio !== 0 && { maxAspectRatio }),
      ...(size !== 0 && { size }),
      ...(videoFramesPerSecond !== 0 && { videoFramesPerSecond }),
      excludeDuplicates,
    }),
  };
}

/** Looks through the folder only where ffmpeg is missing, and only up to the first video. */
async function requireFfmpegForVideos(directory: string): Promise<void> {
  try {
    await findFfmpeg();
  } catch (error) {
    if (!(error instanceof FfmpegMissingError)) throw error;
    for await (const { kind, way } of walkSources(directory)) {
      if (kind === "video") throw new FfmpegMissingError({ video: way, cause: error.cause });
    }
  }
}
