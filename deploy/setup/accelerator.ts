import type { Accelerator } from "@duchenne/tensor/provision";

/** $DUCHENNE_ACCELERATOR: "cuda" makes set-up fetch TensorFlow for NVIDIA's GPUs (about 3 GB); default "cpu". */
export const accelerator = acceleratorFrom(process.env.DUCHENNE_ACCELERATOR);

function acceleratorFrom(value = "cpu"): Accelerator {
  if (value === "cpu" || value === "cuda") return value;
  throw new Error(`Expected DUCHENNE_ACCELERATOR to be "cpu" or "cuda", got "${value}"`);
}
