import { BlobChangedError, BlobDamagedError } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import type { S3Bucket } from "./s3-bucket.ts";

/**
 * Notes in a bucket of blobs that somebody has read and found changed, so that who stores the same bytes again knows without
 * reading what is there. The changed bytes stay until then: they may be all that is left. A note that is wrong, or older than
 * the bytes, costs one sending.
 */
export interface DamageNotes {
  /**
   * Reads a blob, and once more when it has changed: that may have happened on its way. What has changed both times is noted.
   *
   * @throws {BlobDamagedError} and what reading throws
   */
  reading<T>(read: () => Promise<T>): Promise<T>;
  has(digest: string): Promise<boolean>;
  remove(digest: string): Promise<void>;
  /** The blob that an object of this name is a note of; undefined when it is none. */
  subjectOf(name: string): string | undefined;
}

/** Opens the notes of the blobs in a folder. They lie beside their blobs, so that whatever removes the folder removes them. */
export function openDamageNotes(bucket: S3Bucket, folder: string): DamageNotes {
  const keyOf = (digest: string): string => `${folder}${digest}.damaged`;

  const note = async (changed: BlobChangedError): Promise<BlobDamagedError> => {
    const text = Buffer.from(`${changed.message}, read at ${new Date().toISOString()}\n`);
    try {
      await bucket.put(keyOf(changed.digest), text, sha256(text));
      return changed;
    } catch (error) {
      // Who may only read, for one. That it is damaged is what matters.
      const why = error instanceof Error ? error.message : String(error);
      const problem = `${changed.problem}; that could not be noted, and so it stays when it is stored again: ${why}`;
      return new BlobDamagedError(changed.digest, problem);
    }
  };

  return {
    async reading(read) {
      for (let isFirst = true; ; isFirst = false) {
        try {
          return await read();
        } catch (error) {
          if (!(error instanceof BlobChangedError)) throw error;
          if (!isFirst) throw await note(error);
        }
      }
    },
    has: async (digest) => (await bucket.head(keyOf(digest))) !== undefined,
    remove: (digest) => bucket.remove(keyOf(digest)),
    subjectOf: (name) => /^([0-9a-f]{64})\.damaged$/.exec(name)?.[1],
  };
}
