import { mkdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type PhotoSynthesisOptions, type Portrait, photoSheets, pngFromImage, synthesizePhotos } from "@duchenne/data";
import { createVisionEngine, readPortraits } from "@duchenne/vision";

/** Warps the portraits of a folder into a data set in a new folder, on this machine, and says how to register it. */
export async function synthesizeFromPortraits(
  portraitFolder: string,
  folder: string,
  options: PhotoSynthesisOptions,
): Promise<void> {
  const portraits = await findPortraits(portraitFolder);
  const moves = process.stderr.isTTY === true;
  await synthesizePhotos(folder, portraits, options, {
    onProgress: (done, total) => moves && process.stderr.write(`\r\x1b[2K${done === total ? "" : `${done}/${total}`}`),
  });
  const subjects = new Set(portraits.map(({ subject }) => subject)).size;
  const frames = subjects * options.framesPerSubject;
  process.stdout.write(
    `${folder}: ${subjects} subjects, ${frames} frames\n` +
      `Register it with: duchenne datasets register ${basename(folder)} ${resolve(folder)}\n`,
  );
}

/** Writes a sheet of action units for each portrait of a folder. */
export async function previewPortraits(portraitFolder: string, folder: string, size: number): Promise<void> {
  const portraits = await findPortraits(portraitFolder);
  await mkdir(folder, { recursive: true });
  for await (const [{ file }, sheet] of photoSheets(portraits, size)) {
    const path = join(folder, `${file.replaceAll("/", "-")}.png`);
    await writeFile(path, await pngFromImage(sheet));
    process.stdout.write(`${path}\n`);
  }
}

async function findPortraits(folder: string): Promise<readonly Portrait[]> {
  const engine = createVisionEngine({ workers: 1 });
  try {
    const { portraits, notes } = await readPortraits(folder, await engine.load({ kind: "blendshape-au" }));
    for (const { file, description } of notes) process.stderr.write(`${file}: ${description}\n`);
    return portraits;
  } finally {
    await engine.close();
  }
}
