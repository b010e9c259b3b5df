/** Makes int8 of models in float32, by what they do on real images. It blocks its thread: not for a process that serves. */
export { InaccurateQuantizationError } from "./float-layers.ts";
export { type QuantizedModel, type QuantizeModelOptions, quantizeModel } from "./quantize-model.ts";
export type { CalibrationImages } from "./run-graph.ts";
