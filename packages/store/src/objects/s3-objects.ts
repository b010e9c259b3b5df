import { rm, stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { type Blobs, checkDigest } from "../blobs.ts";
import { BlobDamagedError } from "../errors.ts";
import { GARBAGE_MIN_AGE_MS, type Undisturbed } from "../garbage-rules.ts";
import { requireDigest, sha256, sha256OfFile } from "../sha256.ts";
import { claimBucket } from "./claim-bucket.ts";
import { openDamageNotes } from "./damage-notes.ts";
import { type ObjectCache, openObjectCache } from "./object-cache.ts";
import type { Objects } from "./open-objects.ts";
import { parseS3Address } from "./s3-address.ts";
import { openS3Bucket, type S3Bucket } from "./s3-bucket.ts";

/** Bytes that are stored again count as stored now; they are sent again only when they have lost this much of their time. */
const REFRESH_MS = GARBAGE_MIN_AGE_MS / 24;

/**
 * Blobs and checkpoints in a bucket. Files of blobs are copies in a local folder.
 *
 * @throws {StoreAddressError} @throws {StoreUnavailableError} @throws {StoreRefusedError}
 */
export async function openS3Objects(
  address: string,
  cacheDirectory: string,
  undisturbed: Undisturbed,
): Promise<Objects> {
  const bucket = openS3Bucket(parseS3Address(address));
  const cache = openObjectCache(cacheDirectory);
  try {
    // Wrong credentials and missing buckets are told at the start.
    await bucket.folders("");
  } catch (error) {
    bucket.close();
    throw error;
  }
  return {
    blobs: s3Blobs(bucket, "blobs/", cache, undisturbed),
    checkpoints: {
      of: (job) => s3Blobs(bucket, `checkpoints/${job}/`, cache, undisturbed),
      async removeAll(job) {
        for await (const { key } of bucket.list(`checkpoints/${job}/`)) await bucket.remove(key);
      },
      jobs: () => bucket.folders("checkpoints/"),
    },
    place: bucket.place,
    claim: (database) => claimBucket(bucket, database),
    close: async () => bucket.close(),
  };
}

function s3Blobs(bucket: S3Bucket, folder: string, cache: ObjectCache, undisturbed: Undisturbed): Blobs {
  const keyOf = (digest: string): string => folder + checkDigest(digest);
  const notes = openDamageNotes(bucket, folder);

  const has = async (digest: string) => (await bucket.head(keyOf(digest))) !== undefined;
  /** Sends what is not there, or torn, or found changed, or no longer young. */
  const send = async (digest: string, sizeBytes: number, sending: () => Promise<void>): Promise<void> => {
    const stored = await bucket.head(keyOf(digest));
    if (stored === undefined) return sending();
    const isNoted = await notes.has(digest);
    const isWhole = stored.sizeBytes === sizeBytes && !isNoted;
    if (isWhole && Date.now() - stored.timeMs < REFRESH_MS) return;
    await sending();
    // A collection that saw the old one's age may have removed the new one.
    if (!(await undisturbed(() => has(digest)))) await sending();
    if (isNoted) await notes.remove(digest);
  };
  const read = async (digest: string) => {
    const stream = await bucket.get(keyOf(digest));
    if (stream === undefined) throw new BlobDamagedError(digest, "is missing");
    return stream;
  };

  return {
    async put(bytes) {
      const digest = sha256(bytes);
      await send(digest, bytes.length, () => bucket.put(keyOf(digest), bytes, digest));
      return { digest, sizeBytes: bytes.length };
    },

    async adopt(path) {
      const { size } = await stat(path);
      const digest = await sha256OfFile(path);
      await send(digest, size, () => bucket.upload(keyOf(digest), path));
      await rm(path);
      return { digest, sizeBytes: size };
    },

    get: (digest) =>
      notes.reading(async () => {
        const bytes = await buffer(await read(digest));
        requireDigest(digest, sha256(bytes));
        return bytes;
      }),

    file: (digest) => notes.reading(() => cache.file(digest, () => read(digest))),
    has,
    remove: (digest) => bucket.remove(keyOf(digest)),

    async *list() {
      for await (const { key, ...found } of bucket.list(folder)) {
        const name = key.slice(folder.length);
        const subject = notes.subjectOf(name);
        // A note goes after its blob.
        if (subject !== undefined && (await has(subject))) continue;
        const digest = /^[0-9a-f]{64}$/.test(name) ? name : undefined;
        yield {
          digest,
          ...found,
          async removeOlderThan(timeMs, signal) {
            const now = await bucket.head(key, signal);
            if (now === undefined || now.timeMs > timeMs) return false;
            await bucket.remove(key, signal);
            return true;
          },
        };
      }
    },
  };
}
