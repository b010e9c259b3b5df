/** The model on TensorFlow, for training. */

export { type GroupOptions, maeParameterGroups, parameterGroups } from "../parameter-groups.ts";
export { type AuDetector, createAuDetector, type ForwardOptions, type ForwardResult } from "./au-detector.ts";
export { answerDistillationLoss, auLoss, crossEntropy, type IdentityLossKind, identityLoss } from "./losses.ts";
export {
  createMae,
  type Mae,
  type MaeResult,
  type MaskTensors,
  maskFromNoise,
  maskTensors,
  type PatchMask,
  patchesChannelLast,
} from "./mae.ts";
export { assignParameters, parametersFromVariables, variablesFromParameters } from "./variables.ts";
export { createVit, type Pass, type Vit } from "./vit.ts";
