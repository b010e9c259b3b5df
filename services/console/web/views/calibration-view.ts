import type { CalibrationState } from "../calibration/neutral-calibration.ts";
import { byId, write } from "./elements.ts";

/** Buttons and progress of the neutral face. */
export interface CalibrationView {
  /** @param canMeasure whether there is a face to measure */
  show(state: CalibrationState, canMeasure: boolean): void;
}

/** Makes it from the page's elements. */
export function createCalibrationView(onMeasure: () => void, onReset: () => void): CalibrationView {
  const measure = byId("neutral", HTMLButtonElement);
  const reset = byId("neutral-reset", HTMLButtonElement);
  const panel = byId("calibrating", HTMLElement);
  const progress = byId("calibrating-progress", HTMLProgressElement);
  measure.addEventListener("click", onMeasure);
  reset.addEventListener("click", onReset);
  return {
    show(state, canMeasure) {
      const isMeasuring = state.phase === "measuring";
      measure.disabled = !canMeasure || isMeasuring;
      write(measure, state.phase === "calibrated" ? "Neutral face held ✓" : "Hold a neutral face");
      reset.hidden = state.phase === "none";
      write(reset, isMeasuring ? "Cancel" : "Forget the neutral face");
      panel.hidden = !isMeasuring;
      if (!isMeasuring) return;
      progress.max = state.frames;
      progress.value = state.seen;
    },
  };
}
