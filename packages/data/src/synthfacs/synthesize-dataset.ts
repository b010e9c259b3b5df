import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DatasetConfiguration } from "../manifest/dataset-configuration.ts";
import { ACTION_UNIT_PROTOCOLS } from "../protocols/action-unit-protocol.ts";
import { chooseProtocolSubjects } from "./protocol/protocol-subjects.ts";
import { writeProtocolLabels } from "./protocol/write-protocol-labels.ts";
import { SYNTHFACS_ACTION_UNITS } from "./subject.ts";
import { type SynthFacsOptions, synthFacsSchema } from "./synth-facs-options.ts";
import { makeWholeFolder } from "./whole-folder.ts";
import { writeSubjects } from "./write-subjects.ts";

/** The box convention of SynthFACS images: the face's oval grown by 5 % of its width and height on each side. */
export const FACE_OVAL_CONVENTION = "face-oval+5%";

/** How a synthesis is watched and stopped. */
export interface SynthesisControl {
  readonly signal?: AbortSignal;
  /** Called with each image. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Where it is drawn first, on the same disk, for whoever removes it when the process is killed; default beside its folder. */
  readonly temporary?: string;
}

/**
 * Draws a SynthFACS data set into a folder that does not exist yet; `openDataset` reads it. The folder appears whole or
 * not at all. With a protocol it also has the published data set's paths, label files and tables, which its readers take.
 *
 * @throws {z.ZodError} when an option is out of range
 * @throws {RangeError} when a protocol has no such number of subjects
 * @throws {CanonicalFaceMissingError} before set-up brought the mesh
 * @throws the signal's reason when aborted; nothing stays behind
 */
export async function synthesizeDataset(
  directory: string,
  options: SynthFacsOptions,
  { signal, onProgress, temporary: place }: SynthesisControl = {},
): Promise<void> {
  const parsed = synthFacsSchema.parse(options);
  const { seed, subjects: count, framesPerSubject, identityShortcut, protocol } = parsed;
  const subjects = protocol === undefined ? [...Array(count).keys()] : chooseProtocolSubjects(protocol, count);
  const fill = async (temporary: string): Promise<void> => {
    let done = 0;
    const lines = await writeSubjects(parsed, subjects, temporary, {
      signal,
      onFrame: () => onProgress?.(++done, count * framesPerSubject),
    });
    const configuration: DatasetConfiguration = {
      name: `SynthFACS seed ${seed}${protocol === undefined ? "" : ` as ${protocol}`}`,
      description: `Synthetic faces: ${count} subjects x ${framesPerSubject} frames, identity shortcut ${identityShortcut}. No person is shown.`,
      // A protocol says which action units, subjects and folds there are.
      ...(protocol === undefined ? { actionUnits: [...SYNTHFACS_ACTION_UNITS] } : { protocol, actionUnits: [] }),
      occurrenceThreshold: 2,
      boxConvention: FACE_OVAL_CONVENTION,
      // Of what draws it, code and mesh: there is no photograph in it.
      license: "Apache-2.0",
      generator: { synthFacs: parsed },
    };
    const labelled = protocol === undefined ? SYNTHFACS_ACTION_UNITS : ACTION_UNIT_PROTOCOLS[protocol].actionUnits;
    const manifest = lines.map(({ intensities, place, image, subject, ...rest }) => {
      const actionUnits = Object.fromEntries(labelled.map((number) => [number, intensities[number]!]));
      return JSON.stringify({ image, subject, actionUnits, ...rest });
    });
    await writeFile(join(temporary, "dataset.json"), `${JSON.stringify(configuration, null, 2)}\n`);
    await writeFile(join(temporary, "manifest.jsonl"), `${manifest.join("\n")}\n`);
    if (protocol !== undefined) await writeProtocolLabels(temporary, protocol, lines);
  };
  await makeWholeFolder(directory, fill, place);
}
