/** TensorFlow in Node: tf.js on TensorFlow's kernels, the operations that it lacks, AdamW. */
export { type AdamW, type AdamWState, createAdamW, type ParameterGroup } from "./adamw.ts";
export { CannotRecordError } from "./compile/cannot-record-error.ts";
export { type CompiledStep, type CompileOptions, compile } from "./compile/compile.ts";
export type { Explanation, OperationTime } from "./compile/explain.ts";
export { type Step, type StepResult, StepResultError, type Tensors } from "./compile/step.ts";
export { type CustomOperation, withCustomGradient } from "./custom-gradient.ts";
export { type Device, devices, type MemoryStatistics, memoryStatistics } from "./devices.ts";
export { type ElementType, elementType } from "./element-type.ts";
export type { EngineOptions } from "./engine-options.ts";
export {
  type Affine,
  attention,
  autocast,
  type FusedKernel,
  gelu,
  layerNorm,
  linear,
  type Precision,
  type ResidualOptions,
  residualAttention,
  residualMlp,
  usesFusedKernels,
  withoutFusedKernels,
} from "./fused/index.ts";
export { type ClippedGradients, clipByGlobalNorm, globalNorm } from "./gradient-norm.ts";
export { dropPath, gradientReversal } from "./ops.ts";
export { type Seed, seedTensor, statelessUniform } from "./random.ts";
export { type AttributeValue, loadKernelLibrary, rawOp } from "./raw-op.ts";
export { loadTensorFlow, type TensorFlow } from "./tensorflow.ts";
export { TensorFlowError } from "./tensorflow-error.ts";
