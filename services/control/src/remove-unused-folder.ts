import { randomUUID } from "node:crypto";
import { realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { DatasetRecord, Store } from "@duchenne/store";
import { z } from "zod";

const REST = /^\..+\.removed$/;

/** Whether something of this name is what is left of a folder whose removal was cut off. */
export function isRemovalRest(name: string): boolean {
  return REST.test(name);
}

/**
 * Removes a folder that the product wrote, unless a data set has files in it or around it: anybody may have registered it, or
 * what it lies in, under another id. It goes as a whole: no part of it is ever taken for a data set's folder.
 *
 * @returns whether it is gone
 */
export async function removeUnusedFolder(store: Store, path: string): Promise<boolean> {
  if ((await wayTo(path)) === undefined) return true;
  const away = join(dirname(path), `.${basename(path)}-${randomUUID()}.removed`);
  const isGone = await store.datasets.whileNoneIsRegistered(async (registered) => {
    const own = await wayTo(path);
    if (own === undefined) return true;
    if (await isUsed(path, own, registered)) return false;
    await rename(path, away);
    return true;
  });
  if (isGone) await rm(away, { recursive: true, force: true, maxRetries: 3 });
  return isGone;
}

async function isUsed(path: string, own: readonly string[], registered: readonly DatasetRecord[]): Promise<boolean> {
  for (const place of registered.flatMap(placesOf)) {
    const way = await wayTo(place).catch(() => undefined);
    if (way === undefined ? isSameByName(path, place) : way.includes(own[0]!) || own.includes(way[0]!)) return true;
  }
  return false;
}

const labelFilesSchema = z.object({ source: z.object({ labelFiles: z.array(z.string()).default([]) }).prefault({}) });

/** Where a data set's files lie. */
function placesOf({ directory, description }: DatasetRecord): readonly string[] {
  return [directory, ...labelFilesSchema.parse(description).source.labelFiles];
}

/**
 * A place and the folders that it lies in, innermost first, by what they are: a data folder may be known by several paths,
 * through links and mounts. Undefined when it is not here.
 */
async function wayTo(path: string): Promise<readonly string[] | undefined> {
  const way: string[] = [];
  try {
    for (let at = await realpath(path); ; at = dirname(at)) {
      const { dev, ino } = await stat(at, { bigint: true });
      way.push(`${dev}:${ino}`);
      if (at === dirname(at)) return way;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    return undefined;
  }
}

/** Whether a place that is not here, under its path, may be one that is: then it stays. */
function isSameByName(path: string, place: string): boolean {
  return place.split("/").includes(basename(path)) || path.split("/").includes(basename(place));
}
