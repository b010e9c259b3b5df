import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheDirectory } from "@duchenne/provision";
import { ADDON, addonKey } from "./compile-addon.ts";
import type { TensorFlowBuild } from "./tensorflow-wheels.ts";

/** Where the parts of a build of TensorFlow are in the cache. */
export interface Places {
  /** Holds tensorflow/ (libraries and headers) and, with CUDA, nvidia/. */
  readonly libraries: string;
  readonly addonFolder: string;
  readonly addon: string;
}

/** The folders' names change with what is in them, so that no version is taken for another. */
export function placesFor(build: TensorFlowBuild): Places {
  const folder = join(cacheDirectory(), "tensorflow");
  const key = librariesKey(build);
  const addonFolder = join(folder, `addon-${addonKey(key)}`);
  return { libraries: join(folder, `libraries-${key}`), addonFolder, addon: join(addonFolder, ADDON) };
}

function librariesKey({ wheels }: TensorFlowBuild): string {
  const digests = wheels.map(({ sha256 }) => sha256);
  const digest = digests.length === 1 ? digests[0]! : createHash("sha256").update(digests.join()).digest("hex");
  return digest.slice(0, 16);
}
