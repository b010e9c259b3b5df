import { datasetName, describeDataset, keepDataset } from "@duchenne/control";
import { type DatasetSource, openDataset } from "@duchenne/data";
import type { AttemptJob, AttemptTools } from "@duchenne/jobs";

/** A data set that a job has made. */
interface MadeDataset {
  readonly id: string;
  /** Its folder, whole. */
  readonly directory: string;
  readonly source: DatasetSource;
  /** What it is; default what the folder says of itself. */
  readonly description?: string;
  /** What is known of its licence; default what the folder says. */
  readonly license?: string | undefined;
}

/**
 * Reads what a job has made, stores it where machines share a store, registers it and tells so; answers its name. A later
 * attempt of the same job may do it again.
 *
 * @throws {AlreadyExistsError} when its id was taken meanwhile @throws {FencedError} when another attempt has taken over
 * @throws {DiskFullError}
 */
export async function registerMade(
  { store, emit }: Pick<AttemptTools, "store" | "emit">,
  job: Pick<AttemptJob, "id" | "attempt">,
  { id, directory, source, ...about }: MadeDataset,
): Promise<string> {
  const description = describeDataset(await openDataset(directory, source), { source, ...about });
  const { digest } = description;
  const files = await keepDataset(store, { id, directory, source, digest });
  await store.datasets.register({ id, directory, description, digest, managed: true, files, job });
  const name = datasetName(id);
  emit({ kind: "artifact", name, artifactKind: "dataset" });
  return name;
}
