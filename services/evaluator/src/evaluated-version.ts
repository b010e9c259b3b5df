import { parseJobName } from "@duchenne/control";
import type { JobRecord, Store } from "@duchenne/store";
import { z } from "zod";
import type { EvaluationSpec } from "./evaluation-spec.ts";

const trainedSchema = z.object({ modelVersion: z.string() });

/** The version that a job has made, which has succeeded. */
export function trainedVersionOf({ result }: JobRecord): string {
  return trainedSchema.parse(result).modelVersion;
}

/** The version that an evaluation is of: the one that it names, or what its training has made. @throws {NotFoundError} */
export async function evaluatedVersion(store: Store, { modelVersion, training }: EvaluationSpec): Promise<string> {
  if (modelVersion !== undefined) return modelVersion;
  if (training === undefined) throw new TypeError("Expected an evaluation to name a version or a training");
  return trainedVersionOf(await store.jobs.get(parseJobName(training)));
}
