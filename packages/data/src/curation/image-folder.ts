import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Writes files below a folder. */
export interface ImageFolder {
  /** @param way from the folder, with "/" */
  write(way: string, bytes: Uint8Array): Promise<void>;
}

/**
 * Writes files below a folder that is there. It is never made again: whoever took it over has moved it away, and one that
 * does not know it yet must fail.
 */
export function createImageFolder(root: string): ImageFolder {
  const made = new Map<string, Promise<void>>();
  const make = (folder: string): Promise<void> => {
    if (folder === "") return Promise.resolve();
    const known = made.get(folder);
    if (known !== undefined) return known;
    const making = make(folder.slice(0, Math.max(folder.lastIndexOf("/"), 0))).then(async () => {
      await mkdir(join(root, folder)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      });
    });
    made.set(folder, making);
    return making;
  };
  return {
    async write(way, bytes) {
      await make(way.slice(0, Math.max(way.lastIndexOf("/"), 0)));
      await writeFile(join(root, way), bytes);
    },
  };
}
