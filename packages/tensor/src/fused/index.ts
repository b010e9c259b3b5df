/** Operations of the transformer and its optimizer that run as one kernel each where the kernel library is loaded. */
export { attention } from "./attention.ts";
export { autocast, type Precision } from "./autocast.ts";
export { gelu } from "./gelu.ts";
export { type FusedKernel, usesFusedKernels, withoutFusedKernels } from "./kernel-library.ts";
export { layerNorm } from "./layer-norm.ts";
export { linear } from "./linear.ts";
export { type Affine, type ResidualOptions, residualAttention } from "./residual-attention.ts";
export { residualMlp } from "./residual-mlp.ts";
