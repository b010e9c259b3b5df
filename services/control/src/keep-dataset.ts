import { basename, join } from "node:path";
import { type DatasetFiles, type DatasetSource, filesFromList, openDataset } from "@duchenne/data";
import type { FolderReader, KeptFolder, Store } from "@duchenne/store";
import { DatasetChangedError } from "./dataset-changed-error.ts";
import { datasetName } from "./resource-name.ts";

/** A data set as it was read. */
export interface ReadDataset {
  readonly id: string;
  /** Absolute. */
  readonly directory: string;
  readonly source: DatasetSource;
  readonly digest: string;
}

/** A data set's files in another place. */
export interface DatasetPlace {
  readonly directory: string;
  readonly labelFiles: readonly string[];
}

/** Where a kept data set's files lie below a folder. Its own folder keeps its name, which some data sets are called by. */
export function keptPlace(
  root: string,
  { directory, source }: Pick<ReadDataset, "directory" | "source">,
): DatasetPlace {
  return {
    directory: join(root, "folder", basename(directory)),
    labelFiles: source.labelFiles.map((file, i) => join(root, "labels", String(i), basename(file))),
  };
}

/**
 * Stores a data set's files where every machine can read them: labels and images, not whatever else lies in its folder. Does
 * nothing on a store whose blobs are files of this machine, which would be a second copy.
 *
 * @returns what is to be registered with it
 * @throws {DatasetChangedError} when the files are no longer those that were read
 */
export async function keepDataset(store: Store, dataset: ReadDataset): Promise<KeptFolder | undefined> {
  const { directory, source, digest } = dataset;
  const to = keptPlace("", dataset);
  const within = (path: string): string => {
    const label = source.labelFiles.indexOf(path);
    return label >= 0 ? to.labelFiles[label]! : to.directory + path.slice(directory.length);
  };
  return store.folders?.keep(async (folder) => {
    let hasImages = false;
    const again = await openDataset(directory, {
      ...source,
      visitor: {
        labelFile: (path, bytes) => folder.file(within(path), bytes),
        folder: async (path) => folder.folder(within(path)),
        async image(path, bytes) {
          // A request is checked by the labels alone.
          if (!hasImages) await folder.cut();
          hasImages = true;
          await folder.file(within(path), bytes);
        },
      },
    });
    if (again.digest !== digest) throw new DatasetChangedError(datasetName(dataset.id), digest, again.digest);
  });
}

/** A kept data set's files, without a copy of them: its labels are read from the store, its images are only known to be there. */
export function keptFiles({ files, folders, file }: FolderReader): DatasetFiles {
  return filesFromList({
    sizes: new Map([...files].map(([path, size]) => [`/${path}`, size])),
    folders: folders.map((path) => `/${path}`),
    read: (path) => file(path.slice(1)),
  });
}
