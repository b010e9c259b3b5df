import type { RangeMethod } from "@duchenne/model";
import { type QuantizeModelRequest, RangeMethod as RangeMethodMessage } from "@duchenne/proto";
import type { ModelVersionRecord, NewJob, Store } from "@duchenne/store";
import { BuiltInModelError } from "../built-in-model-error.ts";
import { BUILT_IN_MODEL, cardOf } from "../describe-version.ts";
import { InvalidFieldError } from "../invalid-field-error.ts";
import { datasetRead, openRegisteredLabels } from "../open-registered-dataset.ts";
import { modelName, parseModelName, versionName } from "../resource-name.ts";
import { calibrationParts } from "./calibration-frames.ts";
import type { QuantizationSpec } from "./quantization-spec.ts";

/** Thrown when a version has nothing that could be quantised. */
export class NotQuantizableError extends InvalidFieldError {
  readonly reason = "NOT_QUANTIZABLE";

  constructor(name: string, is: string) {
    super("model_version", `Expected an action unit detector or an expression classifier in float32, ${name} is ${is}`);
  }
}

/** The largest mean difference of a probability that is allowed unless the caller says otherwise. */
const DEFAULT_MAX_MEAN_DIFFERENCE = 0.01;
const DEFAULT_RANGE_METHOD: RangeMethod = "least_squares";

const RANGE_METHOD_OF: Readonly<Record<RangeMethodMessage, RangeMethod>> = {
  [RangeMethodMessage.UNSPECIFIED]: DEFAULT_RANGE_METHOD,
  [RangeMethodMessage.MIN_MAX]: "min_max",
  [RangeMethodMessage.PERCENTILE]: "percentile",
  [RangeMethodMessage.LEAST_SQUARES]: "least_squares",
};

/**
 * Checks a quantisation against the version and the data set that it names; answers its job.
 *
 * @param source the version that the request names
 * @throws {BuiltInModelError} @throws {NotQuantizableError} @throws {NotFoundError} @throws {NoCalibrationFramesError}
 * @throws {TooFewCalibrationFramesError}
 */
export async function checkQuantization(
  store: Store,
  source: ModelVersionRecord,
  request: QuantizeModelRequest,
): Promise<Pick<NewJob, "kind" | "displayName" | "modelVersions" | "datasets"> & { readonly spec: QuantizationSpec }> {
  requireQuantizable(source);
  const model = request.model || modelName(source.model);
  if (parseModelName(model, "model") === BUILT_IN_MODEL) throw new BuiltInModelError("model");
  const { dataset: name } = request;
  const dataset = await openRegisteredLabels(store, name);
  const seed = Number(request.seed ?? 0n);
  const parts = calibrationParts(dataset, { name, card: cardOf(source) }, { ...request, seed });
  const modelVersion = versionName(source.model, source.version);
  return {
    kind: "quantization",
    displayName: request.displayName || `${modelVersion} in int8, calibrated on ${name}`,
    modelVersions: [{ model: source.model, version: source.version }],
    datasets: [datasetRead(name, dataset)],
    spec: {
      modelVersion,
      model,
      dataset: name,
      calibrationFrames: parts.calibration.length,
      checkFrames: parts.check.length,
      // The rules of the protos refuse others before.
      rangeMethod: RANGE_METHOD_OF[request.rangeMethod]!,
      maxMeanDifference: request.maxMeanDifference ?? DEFAULT_MAX_MEAN_DIFFERENCE,
      seed,
    },
  };
}

/** @throws {BuiltInModelError} @throws {NotQuantizableError} */
function requireQuantizable(source: ModelVersionRecord): void {
  if (source.model === BUILT_IN_MODEL) throw new BuiltInModelError("model_version");
  const name = versionName(source.model, source.version);
  const { config, quantization, lineage } = cardOf(source);
  if (config.kind === "mae") throw new NotQuantizableError(name, "a masked autoencoder, which is not served");
  if (quantization !== undefined) {
    const of = lineage.quantizedModelVersion;
    throw new NotQuantizableError(name, `in ${quantization.precision} already${of === undefined ? "" : `, of ${of}`}`);
  }
  for (const role of ["safetensors", "onnx"]) {
    if (!source.artifacts.some((each) => each.role === role)) {
      throw new NotQuantizableError(name, `one without a file "${role}"`);
    }
  }
}
