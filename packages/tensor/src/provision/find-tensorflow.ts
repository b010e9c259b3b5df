import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { ProvisionError } from "@duchenne/provision";
import { placesFor } from "./places.ts";
import { type Accelerator, TENSORFLOW_BUILDS, TENSORFLOW_VERSION, type TensorFlowBuild } from "./tensorflow-wheels.ts";

/** What loading TensorFlow needs. */
export interface TensorFlowFiles {
  readonly accelerator: Accelerator;
  /** The compiled addon; it finds TensorFlow's libraries by itself. */
  readonly addon: string;
  /** TensorFlow's, which the addon reports when it is loaded. */
  readonly version: string;
  /** CUDA's libraries in the order in which they are loaded; none for the CPU. */
  readonly gpuLibraries: readonly string[];
}

/** The provisioned TensorFlow, that for CUDA first, or undefined when `provisionTensorFlow` has not run. */
export function findTensorFlow(): TensorFlowFiles | undefined {
  const builds = TENSORFLOW_BUILDS[`${process.platform}-${process.arch}`];
  if (builds === undefined) return undefined;
  for (const accelerator of ["cuda", "cpu"] as const) {
    const { libraries, addon } = placesFor(builds[accelerator]);
    if (existsSync(addon) && existsSync(libraries)) return filesOf(accelerator, builds[accelerator]);
  }
  return undefined;
}

/** @param build is in the cache */
export function filesOf(accelerator: Accelerator, build: TensorFlowBuild): TensorFlowFiles {
  const { libraries, addon } = placesFor(build);
  return { accelerator, addon, version: TENSORFLOW_VERSION, gpuLibraries: gpuLibraries(libraries, build) };
}

/** The error for a process that needs TensorFlow before it was provisioned. */
export function tensorFlowMissing(): ProvisionError {
  return new ProvisionError(
    "TENSORFLOW_UNAVAILABLE",
    "TensorFlow is not in the cache: training needs it.",
    'Run "npm run setup" (it needs a C++ compiler; Debian: apt-get install g++).',
  );
}

/** The error for files in the cache that cannot be loaded. */
export function tensorFlowDamaged({ addon }: TensorFlowFiles, cause: unknown): ProvisionError {
  const message = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  return new ProvisionError(
    "TENSORFLOW_DAMAGED",
    `TensorFlow in the cache cannot be loaded: ${message}.`,
    `Delete ${dirname(dirname(addon))} and run "npm run setup".`,
    cause,
  );
}

/** A wheel nvidia-cublas-cu12 unpacks to nvidia/cublas/lib. */
function gpuLibraries(libraries: string, { wheels }: TensorFlowBuild): string[] {
  return wheels.slice(1).flatMap((wheel) => {
    const name = wheel.package.replace(/^nvidia-(.*)-cu12==.*$/, "$1").replaceAll("-", "_");
    const folder = join(libraries, "nvidia", name, "lib");
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((file) => /\.so(\.\d+)*$/.test(file))
      .sort()
      .map((file) => join(folder, file));
  });
}
