import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { BlobDamagedError, type Store } from "@duchenne/store";

const CHUNK_BYTES = 2 ** 20;

/**
 * The bytes of a blob, in parts, from the disk.
 *
 * @throws {BlobDamagedError} before the first when they are missing or changed; at the end when they changed meanwhile
 */
export async function* blobChunks(store: Store, digest: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(await store.blobs.file(digest), { highWaterMark: CHUNK_BYTES })) {
    const bytes = new Uint8Array(chunk as Buffer);
    hash.update(bytes);
    yield bytes;
  }
  const actual = hash.digest("hex");
  if (actual !== digest) throw new BlobDamagedError(digest, `holds other bytes, of sha256 ${actual}`);
}
