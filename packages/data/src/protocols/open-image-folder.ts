import { basename, join } from "node:path";
import type { DatasetDraft, DraftSample } from "../dataset-draft.ts";
import type { LabelReading } from "../dataset-files.ts";

/**
 * Takes all images below a folder, without labels and subjects: what a masked autoencoder is pretrained on. The digest
 * covers names and sizes only; millions of images are not read twice to look for one that was changed in place.
 */
export async function openImageFolder(directory: string, { files, problems }: LabelReading): Promise<DatasetDraft> {
  const paths = await files.images(directory);
  if (paths === undefined) problems.add("directory", "Expected a folder, found none");
  else if (paths.length === 0) problems.add("directory", "Expected JPEG, PNG or WebP images, found none");
  // One for all: they are empty, and there may be millions of samples.
  const nothing = { subject: "", subjectIndex: -1, occurrence: new Int8Array(), intensity: new Float32Array() };
  const samples = (paths ?? []).map(
    (path): DraftSample => ({ ...nothing, imagePath: join(directory, path), where: path, expression: -1 }),
  );
  return {
    name: basename(directory),
    directory,
    description: "Images without labels",
    actionUnits: [],
    subjects: [],
    samples,
    texts: ["images", ...(paths ?? [])],
    digestOf: "sizes",
    boxConvention: "unknown",
  };
}
