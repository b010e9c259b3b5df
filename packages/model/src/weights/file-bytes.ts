import type { FileHandle } from "node:fs/promises";

/** One call of the system reads at most this much. */
const MAX_READ_BYTES = 2 ** 30;

/**
 * Reads a range of a file into memory of its own.
 *
 * @throws {RangeError} when the file ends before
 */
export async function readBytes(file: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(length - at, MAX_READ_BYTES), position + at);
    if (bytesRead === 0) throw new RangeError(`Expected ${length} bytes at ${position}, the file ends after ${at}`);
    at += bytesRead;
  }
  return bytes;
}
