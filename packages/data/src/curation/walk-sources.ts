import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** A file that a data set may be made of. */
export interface SourceFile {
  /** Way from the folder, with "/". */
  readonly way: string;
  /** By its name; "other" is neither a picture nor a video. */
  readonly kind: "image" | "video" | "other";
  /** Of an "other": what it is instead. */
  readonly problem?: string;
}

const IMAGE_NAME = /\.(jpe?g|png|webp)$/i;
const VIDEO_NAME = /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|ts|m2ts|mts|flv|wmv|asf|ogv|3gp|3g2|mxf|vob|ivf)$/i;

/** What the system says of a single file that cannot be read; everything else concerns the whole disk. */
const UNREADABLE = ["EACCES", "EPERM", "EIO"];

/** The system's word for what is wrong with one file; undefined when it is not one file's fault. */
export function unreadableCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return UNREADABLE.find((each) => each === code);
}

/**
 * All files below a folder, always in the same order: folder by folder, by name (compareWays). Hidden files and folders are
 * passed over. Links are told and not followed, so nothing is read that lies elsewhere and nothing twice.
 *
 * @throws what the system says when a folder cannot be read: nobody knows what is in it
 */
export async function* walkSources(directory: string): AsyncGenerator<SourceFile, void, undefined> {
  yield* walk(directory, "");
}

async function* walk(directory: string, folder: string): AsyncGenerator<SourceFile, void, undefined> {
  const entries = await readdir(join(directory, folder), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith(".")) continue;
    const way = folder === "" ? name : `${folder}/${name}`;
    if (entry.isDirectory() && !name.includes("\uFFFD")) yield* walk(directory, way);
    else yield sourceFile(way, entry);
  }
}

function sourceFile(way: string, entry: Dirent): SourceFile {
  const other = (problem: string): SourceFile => ({ way, kind: "other", problem });
  // Under another name than its own the system would not find it.
  if (entry.name.includes("\uFFFD")) return other("Expected a name in UTF-8");
  if (entry.isSymbolicLink()) return other("Expected a file, got a link, which is not followed");
  if (!entry.isFile()) return other("Expected a file, got something else");
  if (IMAGE_NAME.test(way)) return { way, kind: "image" };
  if (VIDEO_NAME.test(way)) return { way, kind: "video" };
  return other("Expected the name of a JPEG, PNG or WebP image, or of a video");
}
