import type { CalibrationInput } from "@duchenne/client/browser";
import type { NeutralBaseline, NeutralCalibrated } from "@duchenne/proto";

/** Frames of a neutral face that are measured: about a second and a half. */
const FRAMES = 30;

/** Where the calibration of a live view stands. */
export type CalibrationState =
  | { readonly phase: "none" }
  /** `seen` frames of `frames` were answered since it began. */
  | { readonly phase: "measuring"; readonly faceId: bigint; readonly seen: number; readonly frames: number }
  | { readonly phase: "calibrated"; readonly faceId: bigint };

type Calibration = CalibrationInput["calibration"];

/**
 * One person's neutral face in a live view. Face ids end with their session, so that the next session of the same model
 * is given the baseline for every face, as long as the person was alone.
 */
export class NeutralCalibration {
  #state: CalibrationState = { phase: "none" };
  #model = "";
  #kept: { readonly model: string; readonly baseline: NeutralBaseline } | undefined;

  get state(): CalibrationState {
    return this.#state;
  }

  /** A session was opened or its model moved. Answers what to send it, if anything. */
  configured(model: string, isNewSession: boolean): Calibration | undefined {
    const isSame = model === this.#model;
    this.#model = model;
    if (!isNewSession && isSame) return undefined;
    const baseline = this.#kept?.model === model ? this.#kept.baseline : undefined;
    if (isNewSession && baseline !== undefined) {
      this.#state = { phase: "calibrated", faceId: 0n };
      return { faceId: 0n, action: { case: "baseline", value: baseline } };
    }
    this.#state = { phase: "none" };
    return undefined;
  }

  /** Begins to measure. Answers what to send. */
  measure(faceId: bigint): Calibration {
    this.#state = { phase: "measuring", faceId, seen: 0, frames: FRAMES };
    return { faceId, action: { case: "measure", value: { frames: FRAMES } } };
  }

  /** A frame was answered. @param faceIds of the faces on it */
  answered(faceIds: readonly bigint[]): void {
    if (faceIds.length > 1) this.#kept = undefined;
    const state = this.#state;
    if (state.phase !== "measuring" || !faceIds.includes(state.faceId)) return;
    // The server says when it is done; frames in work when it began are not among those that it counts.
    this.#state = { ...state, seen: Math.min(state.seen + 1, state.frames - 1) };
  }

  calibrated({ faceId, baseline }: NeutralCalibrated): void {
    if (this.#state.phase !== "measuring" || this.#state.faceId !== faceId) return;
    this.#state = { phase: "calibrated", faceId };
    if (baseline !== undefined) this.#kept = { model: this.#model, baseline };
  }

  /** Ends it. Answers what to send. */
  reset(): Calibration {
    this.#state = { phase: "none" };
    this.#kept = undefined;
    return { faceId: 0n, action: { case: "reset", value: {} } };
  }
}
