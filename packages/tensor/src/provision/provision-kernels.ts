import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { makeOnce, ProvisionError } from "@duchenne/provision";
import { findTensorFlow } from "./find-tensorflow.ts";
import { placesFor } from "./places.ts";
import { buildFor, type ProvisionOptions, provisionTensorFlow } from "./provision-tensorflow.ts";
import { runCompiler } from "./run-compiler.ts";
import type { TensorFlowBuild } from "./tensorflow-wheels.ts";

const COMPILATION = {
  product: "The fused kernels",
  reason: "KERNELS_UNAVAILABLE",
  without: "Training works without them, slower.",
};
const SOURCES = fileURLToPath(new URL("../../native/kernels", import.meta.url));
const LIBRARY = "duchenne-kernels.so";
/** No -march: each file of native/kernels/loops names its instruction set, and the library chooses when it is loaded. */
const COMPILE = [
  ...["-c", "-O3", "-fno-math-errno", "-std=c++17", "-fPIC", "-fvisibility=hidden"],
  ...["-Wall", "-Wextra", "-Werror"],
];
const FRAMEWORK = "-l:libtensorflow_framework.so.2";
const LINK = ["-shared", "-Wl,--no-undefined", "-Wl,-s"];

interface KernelPlaces {
  /** Holds tensorflow/ with libtensorflow_framework.so.2 and include/. */
  readonly libraries: string;
  readonly folder: string;
  readonly library: string;
}

/** The folder's name changes with everything that goes into the library. */
function kernelPlaces(build: TensorFlowBuild): KernelPlaces {
  const { libraries } = placesFor(build);
  const hash = createHash("sha256").update(JSON.stringify([basename(libraries), COMPILE, LINK]));
  for (const file of filesBelow(SOURCES)) hash.update(relative(SOURCES, file)).update("\0").update(readFileSync(file));
  const folder = join(dirname(libraries), `kernels-${hash.digest("hex").slice(0, 16)}`);
  return { libraries, folder, library: join(folder, LIBRARY) };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The library of fused kernels, or undefined when `provisionKernels` has not run. Training works without, slower. */
export function findKernels(): string | undefined {
  const tensorflow = findTensorFlow();
  if (tensorflow === undefined) return undefined;
  const { library } = kernelPlaces(buildFor(tensorflow.accelerator));
  return existsSync(library) ? library : undefined;
}

/** The error for a library in the cache that cannot be loaded. */
export function kernelsDamaged(library: string, cause: unknown): ProvisionError {
  const message = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  return new ProvisionError(
    "KERNELS_DAMAGED",
    `The fused kernels in the cache cannot be loaded: ${message}.`,
    `Delete ${dirname(library)}: training works without them, slower, and "npm run setup" compiles them again.`,
    cause,
  );
}

/**
 * Compiles the fused kernels (native/kernels) against TensorFlow's headers into the cache, half a minute on two cores.
 * Brings TensorFlow first. Does nothing when that was done before; two processes may do it at once.
 *
 * @throws {ProvisionError} which says what is missing, or the compiler's first errors
 */
export async function provisionKernels(options: ProvisionOptions = {}): Promise<string> {
  const { accelerator = "cpu" } = options;
  await provisionTensorFlow(options);
  const { libraries, folder, library } = kernelPlaces(buildFor(accelerator));
  const tensorflow = join(libraries, "tensorflow");
  await makeOnce(folder, async ({ ready, scratch }) => {
    options.onProgress?.("Compiling the fused kernels");
    const gcc = (args: readonly string[]) => runCompiler(args, { ...COMPILATION, signal: options.signal });
    const sources = filesBelow(SOURCES).filter((name) => name.endsWith(".cc"));
    const objects = sources.map((_, i) => join(scratch, `${i}.o`));
    const jobs = sources.map(
      (source, i) => () =>
        // As system headers: their warnings are not ours.
        gcc([...COMPILE, "-isystem", join(tensorflow, "include"), source, "-o", objects[i]!]),
    );
    const worker = async () => {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
    };
    await Promise.all(Array.from({ length: Math.min(availableParallelism(), jobs.length) }, worker));
    const rpath = `-Wl,-rpath,$ORIGIN/../${basename(libraries)}/tensorflow`;
    await gcc([...LINK, ...objects, "-o", join(ready, LIBRARY), "-L", tensorflow, FRAMEWORK, rpath]);
  });
  return library;
}
