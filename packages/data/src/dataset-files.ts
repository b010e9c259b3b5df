import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { ProblemList } from "./manifest-error.ts";

/** Where the files of data sets are read from. Paths are absolute. */
export interface DatasetFiles {
  /** A label file's text; undefined when there is no such file. */
  text(path: string): Promise<string | undefined>;
  bytes(path: string): Promise<Uint8Array>;
  /** In bytes; undefined when there is no such file. */
  size(path: string): Promise<number | undefined>;
  /** The names of the folders in a folder, in order; hidden ones are passed over. */
  folders(path: string): Promise<readonly string[]>;
  /**
   * The images below a folder: JPEG, PNG and WebP, by their names, as ways from it with "/", in order. Hidden files and folders
   * and everything else are passed over. Undefined when there is no such folder.
   */
  images(path: string): Promise<readonly string[] | undefined>;
}

/** What label files are read with. */
export interface LabelReading {
  readonly files: DatasetFiles;
  readonly problems: ProblemList;
}

const IMAGE_NAME = /\.(jpe?g|png|webp)$/i;

const isHidden = (path: string): boolean => path.split("/").some((part) => part.startsWith("."));
const isImage = (path: string): boolean => IMAGE_NAME.test(path) && !isHidden(path);

/** The files of this machine. */
export const localFiles: DatasetFiles = {
  text: (path) => readFile(path, "utf8").catch(() => undefined),
  bytes: (path) => readFile(path),
  async size(path) {
    const file = await stat(path).catch(() => undefined);
    return file?.isFile() === true ? file.size : undefined;
  },
  async folders(path) {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    return names.filter((name) => !isHidden(name)).sort();
  },
  async images(directory) {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => undefined);
    return entries
      ?.filter((entry) => entry.isFile())
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/"))
      .filter(isImage)
      .sort();
  },
};

/** Files that lie elsewhere, by their absolute paths. */
export interface ListedFiles {
  /** Sizes in bytes, by path. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Folders that are there also when no file is in them. */
  readonly folders: readonly string[];
  readonly read: (path: string) => Promise<Uint8Array>;
}

/** Files that are not on this machine, but known by a list. */
export function filesFromList({ sizes, folders, read }: ListedFiles): DatasetFiles {
  const all = [...sizes.keys()];
  const below = (directory: string) => (path: string) =>
    path.startsWith(`${directory}/`) ? [path.slice(directory.length + 1)] : [];
  return {
    text: async (path) => (sizes.has(path) ? Buffer.from(await read(path)).toString("utf8") : undefined),
    bytes: read,
    size: async (path) => sizes.get(path),
    async folders(directory) {
      const ways = all.flatMap(below(directory)).filter((way) => way.includes("/"));
      const names = [...ways, ...folders.flatMap(below(directory))].map((way) => way.split("/")[0]!);
      return [...new Set(names)].filter((name) => !isHidden(name)).sort();
    },
    async images(directory) {
      const ways = all.flatMap(below(directory));
      const isThere =
        ways.length > 0 || folders.some((path) => path === directory || below(directory)(path).length > 0);
      return isThere ? ways.filter(isImage).sort() : undefined;
    },
  };
}
