/** The shared model package without TensorFlow: configurations, parameters, files and cards. Serving loads only this. */
export { type DetectorCard, type ExpressionCard, type ModelCard, modelCardSchema } from "./card.ts";
export {
  createExpressionConfig,
  createModelConfig,
  type EncoderShape,
  type ExpressionConfig,
  encoderOf,
  expressionConfigSchema,
  type GridOverride,
  identityHeadLayers,
  LAYER_NORM_EPSILON,
  type ModelConfig,
  modelConfigSchema,
  outputCount,
  parameterShapes,
  patchCount,
  VIT_VARIANT_NAMES,
  VIT_VARIANTS,
  type VitConfig,
  type VitVariant,
} from "./config.ts";
export { exportOnnx } from "./export-onnx.ts";
export {
  createMaeConfig,
  FIXED_MAE_PARAMETERS,
  type MaeConfig,
  maeConfigSchema,
  maeParameterShapes,
  sinCosPositions,
} from "./mae-config.ts";
export {
  checkParameters,
  checkShapes,
  initialiseMaeParameters,
  initialiseParameters,
  type Parameter,
  ParameterMismatchError,
  type ParameterSet,
} from "./parameters.ts";
export { InvalidSafetensorsError, readSafetensors, type SafetensorsContent, writeSafetensors } from "./safetensors.ts";
export { BoundedReader } from "./weights/bounded-reader.ts";
export type { HeadOptions } from "./weights/head-options.ts";
export { ImportOptionsError, UnsupportedWeightsError } from "./weights/import-error.ts";
export {
  type ImportedWeights,
  type ImportOptions,
  importWeights,
} from "./weights/import-weights.ts";
export { EncoderMismatchError, initialiseFrom, type SourceWeights } from "./weights/initialise-from.ts";
export { interpolatePositions } from "./weights/interpolate-positions.ts";
export { type LoadReport, loadReportSchema } from "./weights/load-report.ts";
export { openWeights, UnknownWeightFormatError } from "./weights/open-weights.ts";
export type { OptimizerState } from "./weights/optimizer-state.ts";
export { InvalidPthError, LegacyPthError, UnsafePickleError } from "./weights/pth-error.ts";
export type { WeightFile } from "./weights/weight-file.ts";
