import type { Blobs } from "../blobs.ts";
import { type Pack, type PackedFile, writeFolderIndex } from "./folder-index.ts";

/** Takes the files of a folder. */
export interface FolderWriter {
  /**
   * Adds a file. The bytes are the writer's from now on.
   *
   * @param path its way from the folder, with "/"
   */
  file(path: string, bytes: Uint8Array): Promise<void>;
  /** Has a folder be there also when no file is in it. */
  folder(path: string): void;
  /** What comes next lies in another blob than what came before, so that either can be read without the other. */
  cut(): Promise<void>;
}

/** A folder whose files are blobs. */
export interface KeptFolder {
  /** Its index's sha256: the same files in the same order have the same. */
  readonly digest: string;
  /** All blobs that it consists of, the index among them. */
  readonly blobs: readonly string[];
}

/** Stores a folder's files, in blobs of about so many bytes, and the index of them. What is stored already is not sent again. */
export async function keepFolder(
  blobs: Pick<Blobs, "put">,
  fill: (folder: FolderWriter) => Promise<void>,
  packBytes: number,
): Promise<KeptFolder> {
  const folders: string[] = [];
  const packs: Pack[] = [];
  let files: PackedFile[] = [];
  let parts: Uint8Array[] = [];
  let size = 0;
  /** One blob is stored while the next is filled. */
  let storing = Promise.resolve();

  const cut = async (): Promise<void> => {
    if (files.length === 0) return;
    const [bytes, packed] = [Buffer.concat(parts), files];
    [files, parts, size] = [[], [], 0];
    await storing;
    storing = blobs.put(bytes).then((stored) => void packs.push({ ...stored, files: packed }));
    // Told by whoever waits for it next.
    storing.catch(() => {});
  };

  try {
    await fill({
      async file(path, bytes) {
        if (size > 0 && size + bytes.length > packBytes) await cut();
        files.push({ path, sizeBytes: bytes.length });
        parts.push(bytes);
        size += bytes.length;
      },
      folder: (path) => void folders.push(path),
      cut,
    });
    await cut();
    await storing;
  } finally {
    await storing.catch(() => {});
  }
  const { digest } = await blobs.put(writeFolderIndex({ folders, packs }));
  return { digest, blobs: [...new Set([digest, ...packs.map((pack) => pack.digest)])] };
}
