import { createRequire } from "node:module";
import util from "node:util";
import { createBackend } from "./backend.ts";
import type { Binding } from "./binding.ts";
import { replaceGatherKernel } from "./gather-kernel.ts";
import { findTensorFlow, tensorFlowMissing } from "./provision/index.ts";

/** tf.js with TensorFlow's kernels. */
export type TensorFlow = typeof import("@tensorflow/tfjs");

let loading: Promise<TensorFlow> | undefined;

/**
 * Loads tf.js on TensorFlow, once a process. Its calls block their thread: training runs in a process of its own.
 *
 * @throws {ProvisionError} when TensorFlow was not provisioned
 */
export function loadTensorFlow(): Promise<TensorFlow> {
  loading ??= load();
  return loading;
}

async function load(): Promise<TensorFlow> {
  const files = findTensorFlow();
  if (files === undefined) throw tensorFlowMissing();
  restoreRemovedChecks();
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  const require = createRequire(import.meta.url);
  const tf = require("@tensorflow/tfjs") as TensorFlow;
  // The package's own entry insists on an addon that it downloads; its kernels run on ours.
  require("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js");
  const native = require(files.binding) as Binding;
  native.open(new Uint8Array());
  tf.registerBackend("tensorflow", () => createBackend(tf, native) as never, 3);
  replaceGatherKernel(tf);
  await tf.setBackend("tensorflow");
  await tf.ready();
  return tf;
}

/** tfjs-node calls functions of node:util that Node 23 removed or deprecates. */
function restoreRemovedChecks(): void {
  const removed = util as unknown as Record<string, unknown>;
  removed.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  removed.isArray = Array.isArray;
}
