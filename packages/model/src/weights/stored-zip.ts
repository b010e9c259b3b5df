import type { FileHandle } from "node:fs/promises";
import { type Entry, fromRandomAccessReaderPromise } from "yauzl";
import { BoundedReader } from "./bounded-reader.ts";
import { InvalidPthError, printable } from "./pth-error.ts";

/** A file within a zip: its bytes stand in the zip as they are. */
export interface StoredEntry {
  /** Of its first byte, from the start of the zip. */
  readonly position: number;
  readonly size: number;
}

/** More files than any checkpoint has tensors. */
const MAX_ENTRIES = 100_000;

/**
 * Finds the files of a zip whose entries are stored, as PyTorch writes them (zip64 too). Nothing is decompressed: an
 * entry that would have to be is refused, and so are entries that share bytes or reach past the file, so that a zip
 * cannot hold more than its own size.
 *
 * @throws {InvalidPthError}
 */
export async function readStoredZip(file: FileHandle): Promise<ReadonlyMap<string, StoredEntry>> {
  const entries = new Map<string, StoredEntry>();
  const { size } = await file.stat();
  const options = { strictFileNames: true, autoClose: false };
  const zip = await fromRandomAccessReaderPromise(new BoundedReader(file, size), size, options).catch(invalid);
  try {
    if (zip.entryCount > MAX_ENTRIES) {
      throw new InvalidPthError(`Expected at most ${MAX_ENTRIES} files in the zip, got ${zip.entryCount}`);
    }
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      if (name.endsWith("/")) continue;
      if (entry.compressionMethod !== 0 || entry.isEncrypted()) {
        throw new InvalidPthError(`Expected "${printable(name)}" stored as it is, it is compressed or encrypted`);
      }
      if (entries.has(name)) throw new InvalidPthError(`Expected one file "${printable(name)}" in the zip, got two`);
      entries.set(name, { position: await positionOf(entry), size: entry.uncompressedSize });
    }
  } catch (error) {
    return invalid(error);
  } finally {
    zip.close();
  }
  checkApart(entries);
  return entries;

  async function positionOf(entry: Entry): Promise<number> {
    return (await zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart;
  }
}

function checkApart(entries: ReadonlyMap<string, StoredEntry>): void {
  let end = 0;
  for (const [name, { position, size }] of [...entries].sort(([, a], [, b]) => a.position - b.position)) {
    if (position < end)
      throw new InvalidPthError(`Expected "${printable(name)}" apart from the other files of the zip`);
    end = position + size;
  }
}

function invalid(error: unknown): never {
  if (error instanceof InvalidPthError) throw error;
  throw new InvalidPthError(`Expected a whole zip: ${error instanceof Error ? error.message : String(error)}`);
}
