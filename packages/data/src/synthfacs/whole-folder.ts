import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Makes a folder that does not exist yet, whole or not at all: it is filled beside its place and then renamed.
 *
 * @param fill writes into the folder that it is given
 * @param temporary where it is filled, on the same disk; it stays behind only when the process is killed
 * @throws what `fill` throws; nothing stays behind
 */
export async function makeWholeFolder(
  directory: string,
  fill: (temporary: string) => Promise<void>,
  temporary: string = join(dirname(directory), `.${randomUUID()}.partial`),
): Promise<void> {
  if (await stat(directory).catch(() => undefined)) throw new Error(`Expected no folder at ${directory}, found one`);
  await mkdir(temporary, { recursive: true });
  try {
    await fill(temporary);
    await rename(temporary, directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}
