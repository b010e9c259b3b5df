import { createRequire } from "node:module";
import util from "node:util";
import { createBackend } from "./backend.ts";
import type { Binding } from "./binding.ts";
import { configProtoFrom, type EngineOptions } from "./engine-options.ts";
import { loadFusedKernels } from "./fused/kernel-library.ts";
import { replaceGatherKernel } from "./gather-kernel.ts";
import {
  checkProcessor,
  findTensorFlow,
  type TensorFlowFiles,
  tensorFlowDamaged,
  tensorFlowMissing,
} from "./provision/index.ts";

/** tf.js with TensorFlow's kernels. */
export type TensorFlow = typeof import("@tensorflow/tfjs");

let loading: { readonly options: string; readonly tf: Promise<TensorFlow> } | undefined;

/**
 * Loads tf.js on TensorFlow, once a process. Its calls block their thread: training runs in a process of its own.
 *
 * @param options of the first call; later ones may leave them out or repeat them
 * @throws {ProvisionError} when TensorFlow was not provisioned, is damaged, or the processor cannot run it
 * @throws {RangeError} for options out of range, or others than those it was loaded with
 */
export function loadTensorFlow(options?: EngineOptions): Promise<TensorFlow> {
  const wanted = JSON.stringify(options ?? {});
  loading ??= { options: wanted, tf: load(options ?? {}) };
  const current = loading;
  // What could not be loaded may be tried again, with other options.
  current.tf.catch(() => {
    if (loading === current) loading = undefined;
  });
  if (options === undefined || wanted === current.options) return current.tf;
  return Promise.reject(
    new RangeError(`TensorFlow was loaded with ${current.options}, and cannot change to ${wanted}`),
  );
}

async function load(options: EngineOptions): Promise<TensorFlow> {
  checkProcessor();
  const files = findTensorFlow();
  if (files === undefined) throw tensorFlowMissing();
  restoreRemovedChecks();
  const config = configProtoFrom(options);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  if (options.tensorFloat32 === false) process.env.NVIDIA_TF32_OVERRIDE = "0";
  const require = createRequire(import.meta.url);
  const tf = require("@tensorflow/tfjs") as TensorFlow;
  // The package's own entry insists on an addon that it downloads; its kernels run on ours.
  require("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js");
  const native = loadAddon(require, files);
  for (const library of files.gpuLibraries) native.preload(library);
  native.open(config);
  tf.registerBackend("tensorflow", () => createBackend(tf, native), 3);
  replaceGatherKernel(tf);
  await tf.setBackend("tensorflow");
  await tf.ready();
  loadFusedKernels(tf);
  return tf;
}

function loadAddon(require: NodeJS.Require, files: TensorFlowFiles): Binding {
  let native: Binding;
  try {
    native = require(files.addon) as Binding;
  } catch (error) {
    throw tensorFlowDamaged(files, error);
  }
  if (native.TF_Version !== files.version) {
    throw tensorFlowDamaged(files, new Error(`Expected TensorFlow ${files.version}, got ${native.TF_Version}`));
  }
  return native;
}

/** tfjs-node calls functions of node:util that Node 23 removed or deprecates. */
function restoreRemovedChecks(): void {
  const isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  Object.assign(util, { isNullOrUndefined, isArray: Array.isArray });
}
