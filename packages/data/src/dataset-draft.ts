import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Dataset, Sample } from "./dataset.ts";
import type { ProblemList } from "./manifest-error.ts";

/** A sample whose image was not looked for yet. */
export interface DraftSample extends Sample {
  /** Where its image is named, such as "manifest.jsonl:12:image". */
  readonly where: string;
}

/** A data set as its label files describe it. */
export interface DatasetDraft extends Omit<Dataset, "samples" | "digest"> {
  readonly samples: readonly DraftSample[];
  /** Texts that the digest covers beside the images. */
  readonly texts: readonly string[];
  /** The digest covers the images' bytes, or only their sizes where a set is too large to be read twice. */
  readonly digestOf: "bytes" | "sizes";
}

/** How many files are looked at or read at a time. */
const CONCURRENCY = 32;

/**
 * Looks for every image and takes the digest.
 *
 * @param knownDigest the digest of an earlier opening: images are then not read again
 * @throws {ManifestError} with every problem
 */
export async function datasetFromDraft(
  { samples: drafts, texts, digestOf, ...rest }: DatasetDraft,
  problems: ProblemList,
  knownDigest: string | undefined,
): Promise<Dataset> {
  const hash = createHash("sha256").update(texts.join("\0"));
  const samples: Sample[] = [];
  for (let from = 0; from < drafts.length; from += CONCURRENCY) {
    const batch = drafts.slice(from, from + CONCURRENCY);
    const files = await Promise.all(
      batch.map(async ({ imagePath, where }) => {
        const file = await stat(imagePath).catch(() => undefined);
        if (file?.isFile() !== true) {
          problems.add(where, `No file "${imagePath.slice(rest.directory.length + 1)}"`);
          return undefined;
        }
        if (knownDigest !== undefined || problems.count() > 0) return undefined;
        return digestOf === "sizes" ? String(file.size) : readFile(imagePath);
      }),
    );
    for (const file of files) if (file !== undefined) hash.update(file);
    for (const { where: _, ...sample } of batch) samples.push(sample);
  }
  problems.throwIfAny(rest.directory);
  return { ...rest, samples, digest: knownDigest ?? hash.digest("hex") };
}

/**
 * Finds images that a label file names, below the data set's folder. One that leaves the folder is a problem, and so is one
 * that stands twice: a frame must neither count twice nor be in two parts.
 *
 * @param field how the label file calls the image
 * @returns the absolute path; undefined when it leaves the folder
 */
export function createImageFinder(
  directory: string,
  field: string,
  problems: ProblemList,
): (image: string, where: string) => string | undefined {
  const seen = new Map<string, string>();
  return (image, where) => {
    const path = join(directory, image);
    if (!path.startsWith(directory + sep)) {
      problems.add(`${where}:${field}`, `Expected a path inside the data set, got "${image}"`);
      return undefined;
    }
    const earlier = seen.get(path);
    if (earlier === undefined) seen.set(path, where);
    else problems.add(`${where}:${field}`, `"${image}" already stands in ${earlier}`);
    return path;
  };
}
