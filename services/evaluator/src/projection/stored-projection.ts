import { parseProjectionName } from "@duchenne/control";
import { projectionReportSchema } from "@duchenne/evaluation";
import { NotFoundError, type Store } from "@duchenne/store";
import { z } from "zod";
import { PROJECTION } from "./projection-spec.ts";

const storedProjectionSchema = projectionReportSchema.extend({
  /** "models/{model}/versions/{version}". */
  modelVersion: z.string(),
  /** "datasets/{dataset}". */
  dataset: z.string(),
  datasetDigest: z.string(),
  split: z.enum(["held_out", "all"]),
});
/** What the store keeps as a projection, in a blob that its job's result names. */
export type StoredProjection = z.output<typeof storedProjectionSchema>;

const resultSchema = z.object({ digest: z.string() });

/**
 * Reads a projection: it has the id of the job that made it.
 *
 * @throws {NotFoundError} @throws {BlobDamagedError}
 */
export async function readProjection(
  store: Store,
  name: string,
): Promise<{ readonly projection: StoredProjection; readonly createTimeMs: number }> {
  const job = await store.jobs.get(parseProjectionName(name)).catch((error: unknown) => {
    throw error instanceof NotFoundError ? new NotFoundError("projection", name) : error;
  });
  if (job.kind !== PROJECTION || job.state !== "SUCCEEDED") throw new NotFoundError("projection", name);
  const bytes = await store.blobs.get(resultSchema.parse(job.result).digest);
  const projection = storedProjectionSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return { projection, createTimeMs: job.endTimeMs ?? job.createTimeMs };
}
