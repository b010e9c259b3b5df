import { join } from "node:path";
import { type Dataset, drawFolds, openDataset, type SynthFacsOptions, synthesizeDataset } from "@duchenne/data";
import { SETTINGS } from "./settings.ts";

/** A SynthFACS set on disk: another process can open it too. */
export interface Faces {
  readonly directory: string;
  /** Of the faces, and of their folds. */
  readonly seed: number;
}

/** Renders a SynthFACS set into a folder. */
export async function renderFaces(folder: string, name: string, options: SynthFacsOptions): Promise<Faces> {
  const begin = performance.now();
  const directory = join(folder, name);
  await synthesizeDataset(directory, options);
  const seconds = (performance.now() - begin) / 1000;
  const frames = options.subjects * options.framesPerSubject;
  process.stderr.write(`${name} faces: ${frames} in ${seconds.toFixed(0)} s\n`);
  return { directory, seed: options.seed };
}

/** Opens a rendered set, with one fold a seed of the experiments. */
export async function openFaces({ directory, seed }: Faces): Promise<Dataset> {
  const dataset = await openDataset(directory);
  return { ...dataset, folds: drawFolds(dataset, { folds: SETTINGS.seeds.length, seed }) };
}
