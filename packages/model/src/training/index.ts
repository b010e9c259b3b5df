/** The model on TensorFlow, for training. */
export { type AuDetector, createAuDetector, type ForwardOptions, type ForwardResult } from "./au-detector.ts";
export { auLoss, type IdentityLossKind, identityLoss } from "./losses.ts";
export { createMae, type Mae, type MaeResult, maskFromNoise, type PatchMask, patchesChannelLast } from "./mae.ts";
export { type GroupOptions, parameterGroups } from "./parameter-groups.ts";
