import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Dataset, openDataset, synthesizeDataset } from "@duchenne/data";

/** Draws a few faces into a temporary folder. */
export async function drawFaces(): Promise<{ readonly dataset: Dataset; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "duchenne-training-"));
  const directory = join(folder, "faces");
  await synthesizeDataset(directory, {
    seed: 3,
    subjects: 4,
    framesPerSubject: 16,
    imageSize: 96,
    identityShortcut: 0,
  });
  return { dataset: await openDataset(directory), remove: () => rm(folder, { recursive: true, force: true }) };
}
