import type { Device } from "../binding.ts";

/**
 * Whether a step is compiled by XLA unless it is asked otherwise: where it runs on a GPU, as it is thousands of small kernels
 * there without it. Not where products must have all digits of float32: XLA chooses them by itself.
 *
 * @param device where it is to run; "": TensorFlow chooses, and takes a GPU when there is one
 * @param tensorFloat32 the value of NVIDIA_TF32_OVERRIDE; "0" forbids TensorFloat-32
 */
export function xlaByDefault(
  device: string,
  devices: readonly Pick<Device, "type">[],
  tensorFloat32 = process.env.NVIDIA_TF32_OVERRIDE,
): boolean {
  const isOnGpu = device === "" ? devices.some(({ type }) => type === "GPU") : device.startsWith("/device:GPU:");
  return isOnGpu && tensorFloat32 !== "0";
}
