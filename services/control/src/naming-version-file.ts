import { BlobDamagedError, type ModelArtifact, type ModelVersionRecord } from "@duchenne/store";
import { versionName } from "./resource-name.ts";

/**
 * Reads a file of a version; when it is damaged, the error says which file of which version it is, where the store knows its
 * sha256 alone.
 *
 * @throws {BlobDamagedError} and what reading throws
 */
export async function namingVersionFile<T>(
  { model, version }: Pick<ModelVersionRecord, "model" | "version">,
  { role, digest }: ModelArtifact,
  read: (digest: string) => Promise<T>,
): Promise<T> {
  try {
    return await read(digest);
  } catch (error) {
    if (!(error instanceof BlobDamagedError)) throw error;
    throw new BlobDamagedError(digest, `${error.problem}; it is the file "${role}" of ${versionName(model, version)}`);
  }
}
