import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { curatingAttempt, curatingFolder } from "../drawn-folders.ts";

/**
 * The folder that an attempt curates in: with what the last one before it has left on this machine, else empty. What it takes
 * over is moved, so that an attempt that does not know yet that it is over finds its folder no more.
 */
export async function takeOverFolder(
  dataDirectory: string,
  dataset: string,
  job: { readonly id: string; readonly attempt: number },
): Promise<string> {
  const folder = curatingFolder(dataDirectory, dataset, job);
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  const earlier = (await readdir(parent))
    .map((name) => ({ name, attempt: curatingAttempt(name, job.id) ?? 0 }))
    .filter(({ attempt }) => attempt > 0 && attempt < job.attempt)
    .toSorted((a, b) => b.attempt - a.attempt);
  const [last, ...rest] = earlier;
  if (last === undefined) await mkdir(folder);
  else await rename(join(parent, last.name), folder);
  // Made by attempts that knew too late that they were over.
  for (const { name } of rest) await rm(join(parent, name), { recursive: true, force: true });
  return folder;
}
