import { existsSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NAPI_VERSION } from "./compile-addon.ts";
import type { Places } from "./places.ts";

/** Holds prebuilt addons; part of a package that is made for a machine without a compiler, not of git. */
const PREBUILDS = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "prebuilds");

/** packages/tensor/prebuilds/linux-x64-napi8-<digest>.node; the digest is that of sources, flags and TensorFlow's wheels. */
function prebuiltFile({ addonFolder }: Places): string {
  const digest = basename(addonFolder).replace(/^addon-/, "");
  return join(PREBUILDS, `${process.platform}-${process.arch}-napi${NAPI_VERSION}-${digest}.node`);
}

/** The prebuilt addon that is exactly what would be compiled, if there is one. */
export function findPrebuilt(places: Places): string | undefined {
  const file = prebuiltFile(places);
  return existsSync(file) ? file : undefined;
}

/** Puts a compiled addon where machines without a compiler find it. @returns its path */
export async function storePrebuilt(places: Places): Promise<string> {
  const file = prebuiltFile(places);
  await mkdir(dirname(file), { recursive: true });
  await copyFile(places.addon, file);
  return file;
}
