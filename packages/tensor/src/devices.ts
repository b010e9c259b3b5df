import { backendOf } from "./backend.ts";
import type { Device, MemoryStatistics } from "./binding.ts";
import type { TensorFlow } from "./tensorflow.ts";

export type { Device, MemoryStatistics } from "./binding.ts";

/** The devices that TensorFlow found. */
export function devices(tf: TensorFlow): readonly Device[] {
  return backendOf(tf).binding.devices();
}

/** The tensors that are alive in TensorFlow. */
export function memoryStatistics(tf: TensorFlow): MemoryStatistics {
  return backendOf(tf).binding.memoryStatistics();
}
