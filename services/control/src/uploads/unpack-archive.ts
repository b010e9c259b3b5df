import { createWriteStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { BoundedReader } from "@duchenne/model";
import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from "yauzl";
import { ArchiveError } from "./upload-errors.ts";

/** What an archive may hold at most. */
export interface ArchiveLimits {
  /** Files and folders. */
  readonly entries: number;
  /** All files together, unpacked. */
  readonly bytes: number;
}

/** Files that are written at once: each waits for the disk. */
const AT_ONCE = 16;
const STORED = 0;
const DEFLATED = 8;
const TYPE_MASK = 0o170000;
/** No type at all is that of a program that does not know of them. */
const PLAIN_TYPES: readonly number[] = [0, 0o100000, 0o040000];

/**
 * Unpacks a zip into a folder that does not exist. Every entry is looked at before the first file is written. Refused are
 * names that lead out of the folder, links and devices, encryption, names that stand twice, more than the limits allow, and
 * files that are not of the size or checksum that the archive tells. What was written stays when it throws.
 *
 * @throws {ArchiveError} @throws what the signal is aborted with
 */
export async function unpackArchive(
  path: string,
  folder: string,
  { limits, signal }: { readonly limits: ArchiveLimits; readonly signal: AbortSignal },
): Promise<void> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const openZip = (): Promise<ZipFile> =>
      asArchiveError(() =>
        fromRandomAccessReaderPromise(new BoundedReader(file, size), size, { strictFileNames: true, autoClose: false }),
      );
    await checkEntries(await openZip(), limits, signal);
    await writeEntries(await openZip(), folder, signal);
  } finally {
    await file.close();
  }
}

async function checkEntries(zip: ZipFile, limits: ArchiveLimits, signal: AbortSignal): Promise<void> {
  if (zip.entryCount > limits.entries) {
    throw new ArchiveError(`Expected at most ${limits.entries} files and folders, got ${zip.entryCount}`);
  }
  const files = new Set<string>();
  const folders = new Set<string>();
  let bytes = 0;
  await asArchiveError(async () => {
    for await (const entry of zip.eachEntry()) {
      signal.throwIfAborted();
      const name = entry.fileName;
      checkKind(entry);
      const isFolder = name.endsWith("/");
      const parts = (isFolder ? name.slice(0, -1) : name).split("/");
      checkParts(name, parts);
      for (let length = 1; length < parts.length; length++) folders.add(parts.slice(0, length).join("/"));
      if (isFolder) {
        folders.add(parts.join("/"));
        continue;
      }
      if (files.has(name)) throw new ArchiveError("Expected it once in the archive, got it twice", name);
      files.add(name);
      bytes += entry.uncompressedSize;
      if (bytes > limits.bytes) {
        throw new ArchiveError(`Expected at most ${limits.bytes} bytes unpacked, got more from this file on`, name);
      }
    }
  });
  for (const name of folders) {
    if (files.has(name)) throw new ArchiveError("Expected a file or a folder, got both", name);
  }
}

function checkKind(entry: Entry): void {
  const { fileName, compressionMethod, externalFileAttributes } = entry;
  const type = (externalFileAttributes >>> 16) & TYPE_MASK;
  if (!PLAIN_TYPES.includes(type)) {
    throw new ArchiveError("Expected files and folders alone, got a link or a device", fileName);
  }
  if (entry.isEncrypted()) throw new ArchiveError("Expected a file that is not encrypted", fileName);
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    throw new ArchiveError(`Expected a stored or deflated file, got compression method ${compressionMethod}`, fileName);
  }
}

/** yauzl refused absolute names, "..", and backslashes before. */
function checkParts(name: string, parts: readonly string[]): void {
  if (name.length > 2048 || parts.some((part) => Buffer.byteLength(part) > 255)) {
    throw new ArchiveError("Expected a name of at most 2048 characters, and 255 bytes a folder", name);
  }
  if (parts.some((part) => part === "" || part === "." || part === ".." || /\p{Cc}/u.test(part))) {
    throw new ArchiveError('Expected a name without empty parts, "." and control characters', name);
  }
}

async function writeEntries(zip: ZipFile, folder: string, signal: AbortSignal): Promise<void> {
  const made = new Set<string>();
  const makeFolder = async (path: string): Promise<void> => {
    if (made.has(path)) return;
    await mkdir(path, { recursive: true });
    made.add(path);
  };
  await makeFolder(folder);
  let batch: Entry[] = [];
  const writeBatch = async (): Promise<void> => {
    // All of them have ended before any error is told: nothing is written into a folder that is being removed.
    const results = await Promise.allSettled(batch.map((entry) => writeEntry(zip, entry, folder, signal)));
    batch = [];
    for (const result of results) if (result.status === "rejected") throw result.reason;
  };
  const entries = zip.eachEntry()[Symbol.asyncIterator]();
  for (;;) {
    const next = await asArchiveError(() => entries.next());
    if (next.done === true) break;
    const path = join(folder, next.value.fileName);
    await makeFolder(next.value.fileName.endsWith("/") ? path : dirname(path));
    if (!next.value.fileName.endsWith("/")) batch.push(next.value);
    if (batch.length === AT_ONCE) await writeBatch();
  }
  await writeBatch();
}

async function writeEntry(zip: ZipFile, entry: Entry, folder: string, signal: AbortSignal): Promise<void> {
  const name = entry.fileName;
  let checksum = 0;
  const content = async function* (): AsyncGenerator<Buffer> {
    const stream = await asArchiveError(() => zip.openReadStreamPromise(entry), name);
    const chunks = stream[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await asArchiveError(() => chunks.next(), name);
      if (done === true) break;
      checksum = crc32(value as Buffer, checksum);
      yield value as Buffer;
    }
  };
  await pipeline(content, createWriteStream(join(folder, name), { flags: "wx", flush: true }), { signal });
  if (checksum !== entry.crc32)
    throw new ArchiveError("Expected the checksum that the archive tells, got another", name);
}

/** What yauzl and zlib say of a foreign file is the archive's fault; what the disk says is not. */
async function asArchiveError<T>(work: () => Promise<T>, entry?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOurs = error instanceof ArchiveError || (error instanceof Error && error.name === "AbortError");
    const isSystem = error instanceof Error && "syscall" in error;
    if (isOurs || isSystem || !(error instanceof Error)) throw error;
    throw new ArchiveError(`Expected a whole zip: ${error.message}`, entry);
  }
}
