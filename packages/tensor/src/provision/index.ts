/** Brings TensorFlow and our addon into the per-user cache. Loads neither. */
export { checkProcessor } from "./check-processor.ts";
export { type CompileOptions, compileAddon } from "./compile-addon.ts";
export { findTensorFlow, type TensorFlowFiles, tensorFlowDamaged, tensorFlowMissing } from "./find-tensorflow.ts";
export { placesFor } from "./places.ts";
export { storePrebuilt } from "./prebuild.ts";
export { bfloat16Refusal, type EngineMachine } from "./precision.ts";
export { buildFor, type ProvisionOptions, provisionTensorFlow } from "./provision-tensorflow.ts";
export { type Accelerator, TENSORFLOW_VERSION } from "./tensorflow-wheels.ts";
