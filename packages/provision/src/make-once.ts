import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Makes a folder once: `make` fills a new one, which then gets its name. The folder appears whole or not at all; of two
 * processes that make it at the same time, one is kept.
 *
 * @param folder where it is to be; when it exists, nothing is done
 * @param make fills `ready`; may use `scratch` beside it
 */
export async function makeOnce(
  folder: string,
  make: (folders: { readonly ready: string; readonly scratch: string }) => Promise<void>,
): Promise<void> {
  if (existsSync(folder)) return;
  const temporary = `${folder}.${randomUUID()}`;
  const ready = join(temporary, "ready");
  const scratch = join(temporary, "scratch");
  try {
    await mkdir(ready, { recursive: true });
    await mkdir(scratch);
    await make({ ready, scratch });
    await mkdir(dirname(folder), { recursive: true });
    await rename(ready, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
