/** The shared model package without TensorFlow: configurations, parameters, files and cards. Serving loads only this. */
export { type DetectorCard, type ModelCard, modelCardSchema } from "./card.ts";
export {
  createExpressionConfig,
  createModelConfig,
  type EncoderShape,
  type ExpressionConfig,
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
