import { basename, extname } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { blobChunks, parseJobName } from "@duchenne/control";
import type { ExportVideoAnalysisRequest, ExportVideoAnalysisResponseSchema } from "@duchenne/proto";
import type { Store } from "@duchenne/store";
import { analysisResultSchema, analysisSpecSchema, VIDEO_ANALYSIS } from "./analysis-spec.ts";
import { tableFormatFrom } from "./check-analysis.ts";

/** Thrown when a job has no tables: it is another one, or has not succeeded. */
class NoAnalysisError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "NO_VIDEO_ANALYSIS";

  constructor(name: string, kind: string, state: string) {
    super(`Expected a video analysis that has succeeded, ${name} is a job "${kind}" that is ${state}`);
    this.name = "NoAnalysisError";
  }
}

/** Thrown when an analysis did not write the table that is asked for. */
class TableNotWrittenError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "TABLE_NOT_WRITTEN";

  constructor(name: string, format: string, formats: readonly string[]) {
    super(`Expected a table "${format}" of ${name}, it has ${formats.join(", ")}`);
    this.name = "TableNotWrittenError";
  }
}

/**
 * Streams a table of an analysis from the disk: its description, then its bytes.
 *
 * @throws {NotFoundError} @throws {NoAnalysisError} @throws {TableNotWrittenError} @throws {BlobDamagedError}
 */
export async function* exportAnalysis(
  store: Store,
  { name, format: asked }: ExportVideoAnalysisRequest,
): AsyncGenerator<MessageInitShape<typeof ExportVideoAnalysisResponseSchema>> {
  const { kind, state, spec, result } = await store.jobs.get(parseJobName(name));
  if (kind !== VIDEO_ANALYSIS || state !== "SUCCEEDED") throw new NoAnalysisError(name, kind, state);
  const { video } = analysisSpecSchema.parse(spec);
  const { tables } = analysisResultSchema.parse(result);
  const format = tableFormatFrom(asked);
  const table = tables.find((each) => each.format === format);
  if (table === undefined) {
    throw new TableNotWrittenError(
      name,
      format,
      tables.map((each) => each.format),
    );
  }
  const { digest, sizeBytes } = table;
  const fileName = `${basename(video, extname(video))}.${format}`;
  yield { message: { case: "file", value: { fileName, digest, sizeBytes: BigInt(sizeBytes) } } };
  for await (const value of blobChunks(store, digest)) yield { message: { case: "chunk", value } };
}
