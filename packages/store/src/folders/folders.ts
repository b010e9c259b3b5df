import { readFile } from "node:fs/promises";
import type { Blobs } from "../blobs.ts";
import { NotFoundError } from "../errors.ts";
import { type CopyOptions, type FolderCopy, openFolderCopies } from "./folder-copies.ts";
import { type FolderIndex, readFolderIndex } from "./folder-index.ts";
import { type FolderWriter, type KeptFolder, keepFolder } from "./keep-folder.ts";

/** What a kept folder consists of, read without its copy. */
export interface FolderReader {
  /** The sizes of its files, by their ways from the folder. */
  readonly files: ReadonlyMap<string, number>;
  /** Folders that are there also when they hold no file. */
  readonly folders: readonly string[];
  /** A file's bytes; everything that was stored with it between two cuts is fetched for them. @throws {NotFoundError} */
  file(path: string): Promise<Buffer>;
}

/**
 * Folders that are kept as blobs, for machines that share no file system: an index names a few large blobs, in which the files
 * lie one after the other. Millions of small objects would be slow to list and to fetch.
 */
export interface Folders {
  /**
   * Stores a folder's files. Until something refers to its blobs they are garbage that is young. What was stored when this
   * failed is not sent again the next time.
   *
   * @param fill adds all files, always in the same order
   */
  keep(fill: (folder: FolderWriter) => Promise<void>): Promise<KeptFolder>;
  /** @throws {BlobDamagedError} */
  read(digest: string): Promise<FolderReader>;
  /**
   * A copy of the folder on this machine, made when there is none. One process makes it, others wait; what was fetched when
   * this failed, or the process was killed, is not fetched again.
   *
   * @throws {BlobDamagedError} naming the files that it has in it @throws {DiskFullError} and leaves nothing
   */
  copy(digest: string, options?: CopyOptions): Promise<FolderCopy>;
}

/** What folders are kept with. */
interface FoldersOptions {
  readonly blobs: Blobs;
  /** Where copies lie on this machine. */
  readonly directory: string;
  /** Copies that nobody uses go when there is more. */
  readonly maxBytes: number;
  /** How large a blob of several files becomes; less in tests. */
  readonly packBytes?: number;
}

/** What a worker can lose at once when it is killed. S3 takes it in one piece. */
const PACK_BYTES = 16 * 2 ** 20;

/** Keeps folders in a store of blobs. */
export function createFolders({ blobs, directory, maxBytes, packBytes = PACK_BYTES }: FoldersOptions): Folders {
  const readBlob = async (digest: string): Promise<Buffer> => readFile(await blobs.file(digest));
  const readIndex = async (digest: string): Promise<FolderIndex> => readFolderIndex(digest, await readBlob(digest));
  const copies = openFolderCopies(directory, { readIndex, get: (digest) => blobs.get(digest), maxBytes });
  return {
    keep: (fill) => keepFolder(blobs, fill, packBytes),
    async read(digest) {
      const { folders, packs } = await readIndex(digest);
      const places = new Map<string, { readonly pack: string; readonly offset: number; readonly sizeBytes: number }>();
      for (const { digest: pack, files } of packs) {
        let offset = 0;
        for (const { path, sizeBytes } of files) {
          places.set(path, { pack, offset, sizeBytes });
          offset += sizeBytes;
        }
      }
      /** Files are mostly asked for in the order in which they lie. */
      let last: { readonly pack: string; readonly bytes: Promise<Buffer> } | undefined;
      return {
        files: new Map([...places].map(([path, { sizeBytes }]) => [path, sizeBytes])),
        folders,
        async file(path) {
          const place = places.get(path);
          if (place === undefined) throw new NotFoundError("file", path);
          const { pack } = place;
          const reading = last?.pack === pack ? last.bytes : readBlob(pack);
          last = { pack, bytes: reading };
          const bytes = await reading.catch((error: unknown) => {
            last = undefined;
            throw error;
          });
          return bytes.subarray(place.offset, place.offset + place.sizeBytes);
        },
      };
    },
    copy: (digest, options) => copies.open(digest, options),
  };
}
