import { randomUUID } from "node:crypto";
import { link, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** The file appears whole or not at all, in place of one that is there, and neither it nor its name is lost in a power cut. */
export function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  return throughTemporary(file, bytes, (temporary) => moveDurably(temporary, file));
}

/** As writeDurably, but leaves what is there, however many write at once: the first one's stays. */
export function writeOnceDurably(file: string, bytes: Uint8Array): Promise<void> {
  return throughTemporary(file, bytes, async (temporary) => {
    await syncToDisk(temporary, "r+");
    // A rename would replace another's file, and one that is made in place is seen before it is whole.
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await syncToDisk(dirname(file), "r");
  });
}

/** Moves a file of the same disk and stays with it: neither its bytes nor its name are lost in a power cut. */
export async function moveDurably(from: string, file: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  await syncToDisk(from, "r+");
  await rename(from, file);
  await syncToDisk(folder, "r");
}

async function throughTemporary(
  file: string,
  bytes: Uint8Array,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}`;
  try {
    await writeFile(temporary, bytes, { flag: "wx" });
    await place(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function syncToDisk(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
