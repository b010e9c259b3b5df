import { createHash } from "node:crypto";
import { join, sep } from "node:path";
import type { Dataset, Sample } from "./dataset.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import type { ProblemList } from "./manifest-error.ts";
import type { DatasetVisitor } from "./visit-files.ts";

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

/** How the images of a draft are looked at. */
interface ImageReading {
  readonly files: DatasetFiles;
  readonly problems: ProblemList;
  /** The digest of an earlier opening: images are then not read again. */
  readonly knownDigest: string | undefined;
  /** Is shown every image, one after the other, until there is a problem. */
  readonly showImage: DatasetVisitor["image"] | undefined;
}

/**
 * Looks for every image and takes the digest.
 *
 * @throws {ManifestError} with every problem
 */
export async function datasetFromDraft(
  { samples: drafts, texts, digestOf, ...rest }: DatasetDraft,
  { files, problems, knownDigest, showImage }: ImageReading,
): Promise<Dataset> {
  const hash = createHash("sha256").update(texts.join("\0"));
  const samples: Sample[] = [];
  for (let from = 0; from < drafts.length; from += CONCURRENCY) {
    const batch = drafts.slice(from, from + CONCURRENCY);
    const images = await Promise.all(
      batch.map(async ({ imagePath, where }) => {
        const size = await files.size(imagePath);
        if (size === undefined) {
          problems.add(where, `No file "${imagePath.slice(rest.directory.length + 1)}"`, "missingFile");
          return undefined;
        }
        if (knownDigest !== undefined || problems.count() > 0) return undefined;
        if (digestOf === "sizes" && showImage === undefined) return { size };
        const bytes = await files.bytes(imagePath);
        return { size: bytes.length, bytes };
      }),
    );
    for (const [i, image] of images.entries()) {
      if (image === undefined) continue;
      const { size, bytes } = image;
      hash.update(digestOf === "sizes" ? String(size) : bytes!);
      if (problems.count() === 0) await showImage?.(batch[i]!.imagePath, bytes!);
    }
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
    else problems.add(`${where}:${field}`, `"${image}" already stands in ${earlier}`, "duplicate");
    return path;
  };
}
