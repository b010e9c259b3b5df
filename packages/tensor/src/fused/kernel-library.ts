import { backendOf } from "../backend.ts";
import { findKernels, kernelsDamaged } from "../provision/provision-kernels.ts";
import { loadKernelLibrary } from "../raw-op.ts";
import type { TensorFlow } from "../tensorflow.ts";

/** TensorFlow instances that have the fused kernels. */
const withKernels = new WeakSet<TensorFlow>();
/** What there are kernels for. */
export type FusedKernel = "layerNorm" | "gelu" | "residual" | "adamw" | "softmax";
/** Switched off by `withoutFusedKernels`. */
let suspended: readonly FusedKernel[] = [];

/**
 * Loads the fused kernels when they were provisioned. Without them every operation here is composed of TensorFlow's own:
 * the same numbers to rounding, slower.
 *
 * @returns whether they are there
 * @throws {ProvisionError} when they are and cannot be loaded
 */
export function loadFusedKernels(tf: TensorFlow): boolean {
  if (withKernels.has(tf)) return true;
  const library = findKernels();
  // The kernels are the CPU's. On a GPU, compositions are TensorFlow's own there.
  const { binding } = backendOf(tf);
  if (library === undefined || binding.devices().some(({ type }) => type === "GPU")) return false;
  try {
    loadKernelLibrary(tf, library);
  } catch (error) {
    throw kernelsDamaged(library, error);
  }
  withKernels.add(tf);
  return true;
}

/** Whether an operation, or any, is fused now. */
export function usesFusedKernels(tf: TensorFlow, kernel?: FusedKernel): boolean {
  return withKernels.has(tf) && (kernel === undefined ? suspended.length === 0 : !suspended.includes(kernel));
}

/** Runs a function on compositions, as on a machine without the kernels: to compare the two. @param kernels default: all */
export function withoutFusedKernels<R>(
  run: () => R,
  kernels: readonly FusedKernel[] = ["layerNorm", "gelu", "residual", "adamw", "softmax"],
): R {
  const before = suspended;
  suspended = [...before, ...kernels];
  try {
    return run();
  } finally {
    suspended = before;
  }
}
