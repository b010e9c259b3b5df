import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";

const IMAGE_NAME = /\.(jpe?g|png|webp)$/i;

/**
 * Finds the images below a folder: JPEG, PNG and WebP, by their names, in order of their paths. Hidden files and folders
 * and everything else are passed over.
 *
 * @returns paths below the folder, with "/"; undefined when there is no such folder
 */
export async function findImages(directory: string): Promise<string[] | undefined> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => undefined);
  return entries
    ?.filter((entry) => entry.isFile() && IMAGE_NAME.test(entry.name))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !path.split("/").some((part) => part.startsWith(".")))
    .sort();
}
