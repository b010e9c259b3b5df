import { basename, resolve } from "node:path";
import { z } from "zod";
import { type Dataset, PROTOCOLS } from "./dataset.ts";
import { type DatasetDraft, datasetFromDraft } from "./dataset-draft.ts";
import { type DatasetFiles, type LabelReading, localFiles } from "./dataset-files.ts";
import { openManifest } from "./manifest/open-manifest.ts";
import { createProblemList } from "./manifest-error.ts";
import { openExpressions } from "./protocols/open-expressions.ts";
import { openImageFolder } from "./protocols/open-image-folder.ts";
import { openLabelLines } from "./protocols/open-label-lines.ts";
import { type DatasetVisitor, noteLabels } from "./visit-files.ts";

/** How a data set's folder is read. */
export const DATASET_FORMATS = ["manifest", "images", ...PROTOCOLS] as const;
/** How a data set's folder is read. */
export const datasetSourceSchema = z.object({
  /** "manifest": a manifest of one's own; "images": only images; a protocol: its published label files or folders. */
  format: z.enum(DATASET_FORMATS).default("manifest"),
  /** Absolute paths of label files: needed by BP4D, BP4D+ and DISFA, RAF-DB may have its list. */
  labelFiles: z.array(z.string()).readonly().default([]),
});
/** How a data set's folder is read. */
export type DatasetSource = Readonly<z.output<typeof datasetSourceSchema>>;

/** How a data set is opened. */
export interface OpenOptions extends Partial<DatasetSource> {
  /** The digest of an earlier opening: the images are not read again. */
  readonly knownDigest?: string | undefined;
  /**
   * Subjects may be in both parts, whatever a manifest says: of data sets that were registered, maybe by earlier releases, which
   * did not look.
   */
  readonly mayLeak?: boolean | undefined;
  /** Of the problems that there may be, so many are not listed: they were, by an earlier opening. */
  readonly skipProblems?: number | undefined;
  /** Where its files are read from; by default this machine. */
  readonly files?: DatasetFiles | undefined;
  /** Is shown all that the data set consists of while it is opened. It may have problems nevertheless. */
  readonly visitor?: DatasetVisitor | undefined;
}

/**
 * Opens a data set: labels, images, subjects, folds and parts, all checked.
 *
 * @param directory the folder of a manifest, or the root that the paths of a label file start from
 * @throws {ManifestError} with every problem and its line
 */
export async function openDataset(
  directory: string,
  { knownDigest, format = "manifest", labelFiles = [], files = localFiles, visitor, ...options }: OpenOptions = {},
): Promise<Dataset> {
  const { mayLeak, skipProblems } = options;
  const root = resolve(directory);
  const problems = createProblemList(skipProblems);
  const labels = noteLabels(files);
  const draft = await openDraft(root, { format, labelFiles }, { files: labels.files, problems, mayLeak });
  if (draft === undefined) problems.throwIfAny(root);
  if (visitor !== undefined && problems.count() === 0) await labels.show(visitor);
  return datasetFromDraft(draft!, { files, problems, knownDigest, showImage: visitor?.image });
}

async function openDraft(
  directory: string,
  { format, labelFiles }: DatasetSource,
  { files, problems, mayLeak }: LabelReading & Pick<OpenOptions, "mayLeak">,
): Promise<DatasetDraft | undefined> {
  switch (format) {
    case "bp4d":
    case "bp4d+":
    case "disfa":
      return openLabelLines(directory, format, labelFiles, { files, problems });
    case "raf-db":
    case "affectnet-8":
      return openExpressions(directory, format, labelFiles, { files, problems });
    case "images":
    case "manifest":
      if (labelFiles.length > 0) {
        problems.add(
          "label_files",
          `Expected none for ${format}, got ${labelFiles.map((file) => basename(file)).join(", ")}`,
        );
      }
      return format === "images"
        ? openImageFolder(directory, { files, problems })
        : openManifest(directory, { files, problems }, { mayLeak });
  }
}
