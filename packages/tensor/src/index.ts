/** TensorFlow in Node: tf.js on TensorFlow's kernels, the operations that it lacks, AdamW. */
export { type AdamW, type AdamWState, createAdamW, type ParameterGroup } from "./adamw.ts";
export { type CustomOperation, withCustomGradient } from "./custom-gradient.ts";
export { type ElementType, elementType } from "./element-type.ts";
export { dropPath, gelu, gradientReversal, layerNorm, linear } from "./ops.ts";
export { type AttributeValue, loadKernelLibrary, rawOp } from "./raw-op.ts";
export { loadTensorFlow, type TensorFlow } from "./tensorflow.ts";
export { TensorFlowError } from "./tensorflow-error.ts";
