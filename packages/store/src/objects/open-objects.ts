import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Blobs, type Checkpoints, openBlobs, openCheckpoints } from "../blobs.ts";

/** The bytes of a store. */
export interface Objects {
  readonly blobs: Blobs;
  readonly checkpoints: Checkpoints;
  /** For messages. */
  readonly place: string;
  /** Answers which database they belong to, after giving them to this one if they belong to none. */
  claim(database: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Opens the object store behind an address; the folder itself without one.
 *
 * @param directory the local folder; beside S3 it keeps copies of what was read as files
 * @param address "s3://bucket/prefix"
 * @throws {StoreAddressError} @throws {StoreUnavailableError}
 */
export async function openObjects(directory: string, address: string | undefined): Promise<Objects> {
  if (address === undefined) {
    return {
      blobs: openBlobs(join(directory, "blobs")),
      checkpoints: openCheckpoints(join(directory, "checkpoints")),
      place: directory,
      async claim(database) {
        const file = join(directory, "database-id");
        // Of several that claim at once, one makes the file.
        await writeFile(file, database, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "EEXIST") throw error;
        });
        return (await readFile(file, "utf8")) || database;
      },
      close: async () => {},
    };
  }
  // The AWS SDK is loaded only where it is used.
  const { openS3Objects } = await import("./s3-objects.ts");
  return openS3Objects(address, join(directory, "object-cache"));
}
