import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { cacheDirectory, commandFailure, makeOnce, ProvisionError, pipDownload } from "@duchenne/provision";
import { ADDON, addonKey, compileAddon } from "./compile-addon.ts";

const run = promisify(execFile);
const REASON = "TENSORFLOW_UNAVAILABLE";

/** The wheel that holds TensorFlow's libraries and headers, by platform. */
export const TENSORFLOW_SOURCES: Readonly<
  Record<string, { readonly package: string; readonly target: readonly string[]; readonly sha256: string }>
> = {
  "linux-x64": {
    package: "tensorflow-cpu==2.20.0",
    target: ["--implementation", "cp", "--python-version", "3.13", "--platform", "manylinux2014_x86_64"],
    sha256: "da6e7791e5e10ec84e6225c45e04fee05f33d7b828c9b61cc905f4146f7c64b5",
  },
};

/** What loading TensorFlow needs. */
export interface TensorFlowFiles {
  /** The compiled binding; it finds the libraries by itself. */
  readonly binding: string;
}

/** How TensorFlow is provisioned. */
export interface ProvisionOptions {
  /** Told of each step. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

interface Places extends TensorFlowFiles {
  /** libtensorflow_cc.so.2, libtensorflow_framework.so.2 and include/. */
  readonly libraries: string;
  /** The folder of the binding. */
  readonly bindingFolder: string;
}

function placesFor(source: (typeof TENSORFLOW_SOURCES)[string]): Places {
  const bindingFolder = join(cacheDirectory(), "tensorflow", `addon-${addonKey(source.sha256)}`);
  return {
    libraries: join(cacheDirectory(), "tensorflow", `libraries-${source.sha256.slice(0, 16)}`),
    bindingFolder,
    binding: join(bindingFolder, ADDON),
  };
}

/** The provisioned binding, or undefined when `provisionTensorFlow` has not run. */
export function findTensorFlow(): TensorFlowFiles | undefined {
  const source = TENSORFLOW_SOURCES[`${process.platform}-${process.arch}`];
  if (source === undefined) return undefined;
  const { binding } = placesFor(source);
  return existsSync(binding) ? { binding } : undefined;
}

/**
 * Fetches TensorFlow's wheel, checks its digest, unpacks libraries and headers, and compiles the binding of
 * @tensorflow/tfjs-node-gpu against them, all into the cache. Does nothing when that was done before; two processes may
 * do it at once.
 *
 * @throws {ProvisionError} which says what is missing: platform, compiler, pip, network or disk
 */
export async function provisionTensorFlow({ onProgress, signal }: ProvisionOptions = {}): Promise<TensorFlowFiles> {
  const platform = `${process.platform}-${process.arch}`;
  const source = TENSORFLOW_SOURCES[platform];
  if (source === undefined) {
    throw new ProvisionError(
      REASON,
      `There is no pinned TensorFlow for ${platform}.`,
      `Train on ${Object.keys(TENSORFLOW_SOURCES).join(", ")}; detection works without TensorFlow.`,
    );
  }
  const { libraries, bindingFolder, binding } = placesFor(source);
  if (existsSync(binding)) return { binding };
  await checkCompiler(signal);
  await makeOnce(libraries, async ({ ready, scratch }) => {
    onProgress?.(`Fetching ${source.package} (260 MB)`);
    const wheel = await pipDownload(source.package, { folder: scratch, reason: REASON, signal }, source.target);
    await checkDigest(wheel, source);
    onProgress?.("Unpacking TensorFlow's libraries and headers");
    await unpack(wheel, ready, signal);
  });
  await makeOnce(bindingFolder, async ({ ready }) => {
    onProgress?.("Compiling the TensorFlow binding");
    await compileAddon({ tensorflow: join(libraries, "tensorflow"), output: join(ready, ADDON), signal });
  });
  return { binding };
}

/** The error for a process that needs TensorFlow before it was provisioned. */
export function tensorFlowMissing(): ProvisionError {
  return new ProvisionError(
    REASON,
    "TensorFlow is not in the cache: training needs it.",
    'Run "npm run setup" (it needs a C++ compiler; Debian: apt-get install g++).',
  );
}

/** Asked before the download: without a compiler it would be for nothing. */
async function checkCompiler(signal: AbortSignal | undefined): Promise<void> {
  await run("g++", ["--version"], { ...(signal && { signal }) }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new ProvisionError(
      REASON,
      "No C++ compiler (g++) was found; training needs one to build its TensorFlow binding.",
      "Debian: apt-get install g++. Detection works without.",
      error,
    );
  });
}

async function checkDigest(wheel: string, source: { package: string; sha256: string }): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(wheel), hash);
  const actual = hash.digest("hex");
  if (actual === source.sha256) return;
  throw new ProvisionError(
    REASON,
    `The wheel of ${source.package} is not the pinned file: expected sha256 ${source.sha256}, got ${actual}.`,
    "Do not use it; check which registry pip is configured for.",
  );
}

/** Python's own zip reader, which streams: a wheel's library is larger than a buffer may be. */
async function unpack(wheel: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const program = [
    "import sys, zipfile",
    "with zipfile.ZipFile(sys.argv[1]) as wheel:",
    "  wanted = ('tensorflow/include/', 'tensorflow/libtensorflow_')",
    "  wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])",
  ].join("\n");
  await run("python3", ["-c", program, wheel, folder], { ...(signal && { signal }) }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw commandFailure(error, {
      reason: REASON,
      failure: "The TensorFlow wheel could not be unpacked.",
      missing: "Python 3 was not found (Debian: apt-get install python3).",
    });
  });
}
