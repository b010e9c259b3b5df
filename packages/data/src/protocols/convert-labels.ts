import { writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { localFiles } from "../dataset-files.ts";
import { createProblemList } from "../manifest-error.ts";
import { ACTION_UNIT_PROTOCOLS, type ActionUnitProtocolName } from "./action-unit-protocol.ts";
import { DISFA_OCCURRENCE_THRESHOLD } from "./disfa.ts";
import { imageOf, PUBLISHED_IMAGE_PATHS } from "./image-path.ts";
import { readBp4dCodes } from "./read-bp4d-codes.ts";
import { readDisfaCodes } from "./read-disfa-codes.ts";

/** Which label files become a manifest. */
export interface ConvertOptions {
  readonly protocol: ActionUnitProtocolName;
  /** Folder of the data set's own label files. */
  readonly labelDirectory: string;
  /** Root of the images; the manifest is written into it. */
  readonly imageDirectory: string;
  /**
   * Path of a frame below the root, with `{subject}` ("F01"), `{id}` ("F001"), `{task}` ("T8"), `{frame}` and, with
   * leading zeros, `{frame:4}`. The published layout when not given.
   */
  readonly imagePath?: string | undefined;
}

/** What was converted. */
export interface Conversion {
  /** Frames in the manifest. */
  readonly frames: number;
  /** Labelled frames without an image, left out: published sets drop those in which no face was found. */
  readonly framesWithoutImage: number;
  readonly subjects: number;
}

/**
 * Writes `dataset.json` and `manifest.jsonl` from a data set's own label files: the occurrence tables of BP4D and BP4D+,
 * the intensity files of DISFA. Unlike the published JSON lines, the manifest keeps what the coders could not tell (9) as
 * unknown, and DISFA's intensities.
 *
 * @throws {ManifestError} with every problem, also when there is a manifest already; nothing is written then
 */
export async function convertLabels({
  protocol,
  labelDirectory,
  imageDirectory,
  imagePath = PUBLISHED_IMAGE_PATHS[protocol],
}: ConvertOptions): Promise<Conversion> {
  const root = resolve(imageDirectory);
  const problems = createProblemList();
  const coded =
    protocol === "disfa"
      ? await readDisfaCodes(labelDirectory, problems)
      : await readBp4dCodes(labelDirectory, protocol, problems);
  problems.throwIfAny(labelDirectory);
  const present = new Set(await localFiles.images(root));
  const placed = coded.map((frame) => ({ ...frame, image: imageOf(frame, imagePath) }));
  const found = placed.filter(({ image }) => present.has(image));
  if (found.length === 0) {
    problems.add("images", `Expected images such as "${placed[0]?.image ?? imagePath}" in ${root}, found none`);
    problems.throwIfAny(root);
  }
  const configuration = {
    name: protocol,
    description: `${ACTION_UNIT_PROTOCOLS[protocol].description}; converted from its own label files`,
    protocol,
    ...(protocol === "disfa"
      ? { labels: "intensity", occurrenceThreshold: DISFA_OCCURRENCE_THRESHOLD }
      : { labels: "occurrence" }),
    generator: { convertLabels: { protocol, imagePath } },
  };
  const lines = found.map(({ image, subject, actionUnits }) => JSON.stringify({ image, subject, actionUnits }));
  for (const [file, text] of [
    ["dataset.json", JSON.stringify(configuration, null, 2)],
    ["manifest.jsonl", lines.join("\n")],
  ] as const) {
    // "wx": labels that somebody made by hand are not written over.
    await writeFile(join(root, file), `${text}\n`, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
      problems.add(file, `Expected none in ${basename(root)}, found one; remove it to convert again`);
      problems.throwIfAny(root);
    });
  }
  const subjects = new Set(found.map(({ subject }) => subject)).size;
  return { frames: found.length, framesWithoutImage: placed.length - found.length, subjects };
}
