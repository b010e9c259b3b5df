import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { makeOnce, ProvisionError, pipDownload } from "@duchenne/provision";
import { checkProcessor } from "./check-processor.ts";
import { compileAddon } from "./compile-addon.ts";
import { filesOf, type TensorFlowFiles } from "./find-tensorflow.ts";
import { type Places, placesFor } from "./places.ts";
import { findPrebuilt } from "./prebuild.ts";
import { runCompiler } from "./run-compiler.ts";
import { type Accelerator, TENSORFLOW_BUILDS, type TensorFlowBuild, type Wheel } from "./tensorflow-wheels.ts";
import { unpackWheel } from "./unpack-wheel.ts";

const REASON = "TENSORFLOW_UNAVAILABLE";

/** How TensorFlow is provisioned. */
export interface ProvisionOptions {
  /** Default "cpu". */
  readonly accelerator?: Accelerator;
  /** Told of each step. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Fetches TensorFlow's wheels, checks their digests, unpacks libraries and headers, and compiles our addon against them (or
 * takes a prebuilt one), all into the cache. Does nothing when that was done before; two processes may do it at once.
 *
 * @throws {ProvisionError} which says what is missing: platform, processor, compiler, pip, network or disk
 */
export async function provisionTensorFlow(options: ProvisionOptions = {}): Promise<TensorFlowFiles> {
  const { accelerator = "cpu", onProgress, signal } = options;
  const build = buildFor(accelerator);
  const places = placesFor(build);
  if (!existsSync(places.addon) || !existsSync(places.libraries)) {
    checkProcessor();
    const prebuilt = findPrebuilt(places);
    if (prebuilt === undefined) await checkCompiler(signal);
    await provisionLibraries(build, places, options);
    await makeOnce(places.addonFolder, async ({ ready }) => {
      const output = join(ready, basename(places.addon));
      onProgress?.(prebuilt === undefined ? "Compiling the TensorFlow addon" : "Taking the prebuilt TensorFlow addon");
      if (prebuilt !== undefined) await copyFile(prebuilt, output);
      else await compileAddon({ libraries: places.libraries, output, signal });
    });
  }
  return filesOf(accelerator, build);
}

/** The pinned build for this machine. @throws {ProvisionError} when there is none */
export function buildFor(accelerator: Accelerator): TensorFlowBuild {
  const platform = `${process.platform}-${process.arch}`;
  const builds = TENSORFLOW_BUILDS[platform];
  if (builds !== undefined) return builds[accelerator];
  throw new ProvisionError(
    REASON,
    `There is no pinned TensorFlow for ${platform}.`,
    `Train on ${Object.keys(TENSORFLOW_BUILDS).join(", ")}; detection works without TensorFlow.`,
  );
}

async function provisionLibraries(
  { wheels, target, size }: TensorFlowBuild,
  { libraries }: Places,
  { onProgress, signal }: ProvisionOptions,
): Promise<void> {
  await makeOnce(libraries, async ({ ready, scratch }) => {
    onProgress?.(`Fetching ${wheels[0].package} (${size})`);
    for (const wheel of wheels) {
      const file = await pipDownload(wheel.package, { folder: scratch, reason: REASON, signal }, target);
      await checkDigest(file, wheel);
      onProgress?.(`Unpacking ${wheel.package}`);
      await unpackWheel(file, wheel, ready, signal);
      await rm(file);
    }
  });
}

/** Asked before the download: without a compiler it would be for nothing. */
async function checkCompiler(signal: AbortSignal | undefined): Promise<void> {
  await runCompiler(["--version"], {
    product: "TensorFlow's addon, which training needs,",
    reason: REASON,
    without: "Detection works without.",
    signal,
  });
}

async function checkDigest(file: string, wheel: Wheel): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  const actual = hash.digest("hex");
  if (actual === wheel.sha256) return;
  throw new ProvisionError(
    REASON,
    `The wheel of ${wheel.package} is not the pinned file: expected sha256 ${wheel.sha256}, got ${actual}.`,
    "Do not use it; check which registry pip is configured for.",
  );
}
