import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { BlobChangedError } from "./errors.ts";

/** In hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A file's, without reading it into memory. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest("hex");
}

/** @throws {BlobChangedError} when the bytes of a blob are others */
export function requireDigest(digest: string, actual: string): void {
  if (actual !== digest) throw new BlobChangedError(digest, actual);
}
