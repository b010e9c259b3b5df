/** Brings TensorFlow, our addon and the fused kernels into the per-user cache. Loads none of them. */
export { checkProcessor } from "./check-processor.ts";
export { type CompileOptions, compileAddon } from "./compile-addon.ts";
export { findTensorFlow, type TensorFlowFiles, tensorFlowDamaged, tensorFlowMissing } from "./find-tensorflow.ts";
export { placesFor } from "./places.ts";
export { storePrebuilt } from "./prebuild.ts";
export { bfloat16Refusal, type EngineMachine } from "./precision.ts";
export { findKernels, provisionKernels } from "./provision-kernels.ts";
export { buildFor, type ProvisionOptions, provisionTensorFlow } from "./provision-tensorflow.ts";
export { type Accelerator, TENSORFLOW_VERSION } from "./tensorflow-wheels.ts";
