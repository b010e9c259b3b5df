import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Readable } from "node:stream";
import { ZipFile } from "yazl";
import type { DatasetArchive } from "./upload-dataset.ts";

interface FolderFile {
  /** Below the folder, with "/". */
  readonly path: string;
  readonly sizeBytes: number;
}

/** The same on every machine: a time in a zip has no zone. */
const NO_TIME = new Date(1980, 0, 1);

/**
 * A folder as a zip that is made while it is read, byte for byte the same each time: names in order, no times, nothing
 * compressed, since images do not get smaller. Hidden files and folders are left out; a link to a file is its file.
 * The folder is read once to know the digest.
 *
 * @throws {Error} when there is no file, and for a link to a folder
 */
export async function archiveOfFolder(folder: string): Promise<DatasetArchive> {
  const files = await filesBelow(folder);
  if (files.length === 0) throw new Error(`Expected files in ${folder}, found none`);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of zipOf(folder, files)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: hash.digest("hex"), read: (offset) => from(offset, zipOf(folder, files)) };
}

async function filesBelow(folder: string): Promise<readonly FolderFile[]> {
  const files: FolderFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const place = join(entry.parentPath, entry.name);
    const path = relative(folder, place).split(sep).join("/");
    if (path.split("/").some((part) => part.startsWith(".")) || entry.isDirectory()) continue;
    const stats = await stat(place);
    if (stats.isDirectory())
      throw new Error(`Expected files and folders in ${folder}, "${path}" is a link to a folder`);
    if (stats.isFile()) files.push({ path, sizeBytes: stats.size });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function zipOf(folder: string, files: readonly FolderFile[]): AsyncIterable<Buffer> {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  // A file that is gone or has grown since: whoever reads gets the error.
  zip.on("error", (error: Error) => output.destroy(error));
  for (const { path, sizeBytes } of files) {
    const options = { mtime: NO_TIME, mode: 0o100644, compress: false, forceDosTimestamp: true, size: sizeBytes };
    zip.addReadStreamLazy(path, options, (use) => {
      const file = createReadStream(join(folder, path));
      file.on("error", (error) => output.destroy(error));
      // Whoever reads may stop in the middle of it.
      const stop = () => file.destroy();
      output.once("close", stop);
      file.once("close", () => output.off("close", stop));
      use(null, file);
    });
  }
  zip.end();
  return output;
}

async function* from(offset: number, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const chunk of chunks) {
    const skipped = Math.max(0, Math.min(chunk.length, offset - position));
    position += chunk.length;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}
