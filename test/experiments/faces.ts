import { join } from "node:path";
import { type Dataset, drawFolds, openDataset, type SynthFacsOptions, synthesizeDataset } from "@duchenne/data";
import { SETTINGS } from "./settings.ts";

/** Renders a SynthFACS set into a folder, with one fold a seed. */
export async function renderFaces(folder: string, name: string, options: SynthFacsOptions): Promise<Dataset> {
  const begin = performance.now();
  const directory = join(folder, name);
  await synthesizeDataset(directory, options);
  const dataset = await openDataset(directory);
  const seconds = (performance.now() - begin) / 1000;
  process.stderr.write(`${name} faces: ${dataset.samples.length} in ${seconds.toFixed(0)} s\n`);
  return { ...dataset, folds: drawFolds(dataset, { folds: SETTINGS.seeds.length, seed: options.seed }) };
}
