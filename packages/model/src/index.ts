/** The shared model package without TensorFlow: configurations, parameters, files and cards. Serving loads only this. */
export {
  type CardFigure,
  type DetectorCard,
  type ExpressionCard,
  type ModelCard,
  modelCardSchema,
  type Quantization,
} from "./card.ts";
export { type CardLicense, UNKNOWN_LICENSE } from "./card-license.ts";
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
export { exportOnnx, type OnnxOptions, tapOf } from "./export-onnx.ts";
export { inheritedLicenses } from "./inherited-licenses.ts";
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
export { probabilitiesOf } from "./probabilities.ts";
export { inputCosts } from "./quantization/input-costs.ts";
export { type LinearLayer, linearLayers } from "./quantization/linear-layers.ts";
export type { ActivationRange } from "./quantization/quantize-values.ts";
export { type ChannelMaxima, smoothParameters } from "./quantization/smooth-parameters.ts";
export { RANGE_METHODS, type RangeMethod, ValueHistogram } from "./quantization/value-histogram.ts";
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
