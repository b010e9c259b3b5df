import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILT_FOLDER, PACKAGE_FOLDER } from "./places.ts";

const WORKSPACE = fileURLToPath(new URL("../../..", import.meta.url));

/** What the page is made of, and the lockfile for what comes from elsewhere. */
const SOURCES = ["services/console/web", "services/console/vite.config.ts", "proto/gen", "packages/client/src"];

const STAMP = join(BUILT_FOLDER, ".built-from");

/** Builds the page with Vite, unless it was built from these sources. */
export async function buildConsole(): Promise<void> {
  const digest = await digestOfSources();
  if ((await readFile(STAMP, "utf8").catch(() => "")) === digest) return;
  // Only here: a server that serves the page needs nothing of it.
  const { build } = await import("vite");
  await build({ configFile: join(PACKAGE_FOLDER, "vite.config.ts"), logLevel: "warn" });
  await writeFile(STAMP, digest);
}

async function digestOfSources(): Promise<string> {
  const hash = createHash("sha256");
  for (const source of [...SOURCES, "pnpm-lock.yaml"]) {
    for (const file of await filesOf(join(WORKSPACE, source))) {
      hash.update(`${relative(WORKSPACE, file)}\0`).update(await readFile(file));
    }
  }
  return hash.digest("hex");
}

/** The files of a folder, or the file itself, sorted. */
async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOTDIR") return undefined;
      throw error;
    },
  );
  if (entries === undefined) return [path];
  return entries
    .filter((entry) => entry.isFile() && !entry.name.includes(".test."))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
