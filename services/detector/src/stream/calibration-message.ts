import type { MessageInitShape } from "@bufbuild/protobuf";
import { InvalidFieldError } from "@duchenne/control";
import { type Calibration, type NeutralCalibratedSchema, Side } from "@duchenne/proto";
import type { CalibrationRequest, ModelDescription, NeutralBaseline } from "@duchenne/vision";
import { sideMessage } from "../convert.ts";

/** Thrown for a baseline with scores that the model does not answer. */
export class BaselineMismatchError extends InvalidFieldError {
  readonly reason = "BASELINE_MISMATCH";
}

/** What a caller wants done about neutral expressions. @throws {BaselineMismatchError} */
export function calibrationRequest({ action }: Calibration, model: ModelDescription): CalibrationRequest {
  switch (action.case) {
    case "measure":
      return { kind: "measure", frames: action.value.frames };
    case "baseline":
      return { kind: "baseline", scores: action.value.scores.map((score, i) => baselineScore(score, i, model)) };
    default:
      return { kind: "reset" };
  }
}

function baselineScore(
  { actionUnit, side, score }: { readonly actionUnit: number; readonly side: Side; readonly score: number },
  index: number,
  { actionUnits }: ModelDescription,
) {
  const described = actionUnits.find((each) => each.actionUnit === actionUnit);
  if (described === undefined || (side !== Side.UNSPECIFIED && !described.lateral)) {
    const known = actionUnits.map((each) => `AU${each.actionUnit}${each.lateral ? " (also left, right)" : ""}`);
    throw new BaselineMismatchError(
      `calibration.baseline.scores[${index}]`,
      `Expected a score that the model answers, one of ${known.join(", ")}, got AU${actionUnit}${side === Side.UNSPECIFIED ? "" : ` of side ${side}`}`,
    );
  }
  if (side === Side.UNSPECIFIED) return { actionUnit, score };
  return { actionUnit, score, side: side === Side.LEFT ? ("left" as const) : ("right" as const) };
}

/** A measured neutral face. */
export function calibratedMessage(baseline: NeutralBaseline): MessageInitShape<typeof NeutralCalibratedSchema> {
  const { faceId, frames, scores } = baseline;
  const neutral = scores.map(({ actionUnit, side, score }) => ({ actionUnit, side: sideMessage(side), score }));
  return { faceId, frames, baseline: { scores: neutral } };
}
