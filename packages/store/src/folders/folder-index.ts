import { z } from "zod";
import { BlobDamagedError } from "../errors.ts";

/** A file of a folder. */
export interface PackedFile {
  /** Its way from the folder, with "/". */
  readonly path: string;
  readonly sizeBytes: number;
}

/** Files of a folder, one after the other in one blob. */
export interface Pack {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly files: readonly PackedFile[];
}

/** What a folder consists of. */
export interface FolderIndex {
  /** Folders that are there also when they hold no file. */
  readonly folders: readonly string[];
  readonly packs: readonly Pack[];
}

/** A way that leaves no folder: what is written by it lies below the folder that it starts from. */
const pathSchema = z
  .string()
  .refine((path) => path.split("/").every((part) => !["", ".", ".."].includes(part) && !part.includes("\0")), {
    error: "Expected a way that stays below the folder",
  });

const headSchema = z.strictObject({
  format: z.literal("duchenne-folder"),
  version: z.literal(1),
  folders: z.array(pathSchema).readonly(),
});

const packSchema = z
  .strictObject({
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    sizeBytes: z.int().min(0),
    files: z.array(z.tuple([pathSchema, z.int().min(0)])).readonly(),
  })
  .refine(({ sizeBytes, files }) => files.reduce((sum, [, size]) => sum + size, 0) === sizeBytes, {
    error: "Expected files that fill their blob",
  });

/** The index as bytes: a line of JSON that says what it is, then one for each blob. */
export function writeFolderIndex({ folders, packs }: FolderIndex): Buffer {
  const head: z.input<typeof headSchema> = { format: "duchenne-folder", version: 1, folders: [...folders] };
  const lines = packs.map(
    ({ digest, sizeBytes, files }): z.input<typeof packSchema> => ({
      digest,
      sizeBytes,
      files: files.map((file) => [file.path, file.sizeBytes]),
    }),
  );
  return Buffer.from([head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** Reads an index back. @param digest of the blob, for messages @throws {BlobDamagedError} when it is none */
export function readFolderIndex(digest: string, bytes: Buffer): FolderIndex {
  try {
    const [head, ...lines] = bytes.toString().trimEnd().split("\n");
    const { folders } = headSchema.parse(JSON.parse(head!));
    const packs = lines.map((line) => {
      const { files, ...pack } = packSchema.parse(JSON.parse(line));
      return { ...pack, files: files.map(([path, sizeBytes]) => ({ path, sizeBytes })) };
    });
    const paths = packs.flatMap(({ files }) => files.map(({ path }) => path));
    if (new Set(paths).size !== paths.length) throw new Error("Expected each file once");
    return { folders, packs };
  } catch (error) {
    throw new BlobDamagedError(digest, `is no index of a folder: ${error instanceof Error ? error.message : error}`);
  }
}

/** All bytes of a folder. */
export function folderSize({ packs }: FolderIndex): number {
  return packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
