import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Blobs, type Checkpoints, openBlobs, openCheckpoints } from "../blobs.ts";
import { storing } from "../disk-full.ts";
import { writeOnceDurably } from "../durable-files.ts";
import type { Undisturbed } from "../garbage-rules.ts";

/** The bytes of a store. */
export interface Objects {
  readonly blobs: Blobs;
  readonly checkpoints: Checkpoints;
  /** For messages. */
  readonly place: string;
  /**
   * Answers which database they belong to, as read back, after giving them to this one if they belong to none. Empty when
   * there is a mark that cannot be read.
   */
  claim(database: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Opens the object store behind an address; the folder itself without one.
 *
 * @param directory the local folder; beside S3 it keeps copies of what was read as files
 * @param address "s3://bucket/prefix"
 * @param undisturbed what keeps others from collecting garbage
 * @throws {StoreAddressError} @throws {StoreUnavailableError}
 */
export async function openObjects(
  directory: string,
  address: string | undefined,
  undisturbed: Undisturbed,
): Promise<Objects> {
  if (address === undefined) {
    return {
      blobs: openBlobs(join(directory, "blobs"), undisturbed),
      checkpoints: openCheckpoints(join(directory, "checkpoints"), undisturbed),
      place: directory,
      async claim(database) {
        const file = join(directory, "database-id");
        const mark = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "ENOENT") throw error;
        });
        // Mostly there is one. Then nothing is written: there may be no room, and who is killed leaves what he writes.
        if (mark !== undefined) return mark;
        await storing("the store's mark", () => writeOnceDurably(file, Buffer.from(database)));
        return readFile(file, "utf8");
      },
      close: async () => {},
    };
  }
  // The AWS SDK is loaded only where it is used.
  const { openS3Objects } = await import("./s3-objects.ts");
  return openS3Objects(address, join(directory, "object-cache"), undisturbed);
}
