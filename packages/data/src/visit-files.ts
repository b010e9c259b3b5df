import type { DatasetFiles } from "./dataset-files.ts";

/**
 * Is shown everything that a data set consists of, in an order that depends on nothing else: label files and folders first,
 * then the images. The bytes are those that the digest covers.
 */
export interface DatasetVisitor {
  labelFile(path: string, bytes: Uint8Array): Promise<void>;
  /** A folder that must be there even when nothing is in it: its name is a label. */
  folder(path: string): Promise<void>;
  image(path: string, bytes: Uint8Array): Promise<void>;
}

/** Files, and what was read of them as labels. */
export interface NotedFiles {
  readonly files: DatasetFiles;
  /** Shows label files and folders, in the order in which they were asked for. */
  show(visitor: DatasetVisitor): Promise<void>;
}

/** Notes which label files and folders are read. */
export function noteLabels(files: DatasetFiles): NotedFiles {
  const texts = new Map<string, Promise<string | undefined>>();
  const listings = new Map<string, Promise<readonly string[]>>();
  const noted = <T>(notes: Map<string, T>, path: string, reading: T): T => {
    notes.set(path, reading);
    return reading;
  };
  return {
    files: {
      ...files,
      text: (path) => noted(texts, path, files.text(path)),
      folders: (path) => noted(listings, path, files.folders(path)),
    },
    async show(visitor) {
      for (const [path, reading] of texts) {
        const text = await reading;
        if (text !== undefined) await visitor.labelFile(path, Buffer.from(text));
      }
      for (const [path, reading] of listings) {
        for (const name of await reading) await visitor.folder(`${path}/${name}`);
      }
    },
  };
}
