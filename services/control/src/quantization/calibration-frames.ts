import { createRandom, type Dataset } from "@duchenne/data";
import type { ModelCard } from "@duchenne/model";
import { heldOutFrames, isHeldOutKnown } from "../held-out-part.ts";
import { InvalidFieldError } from "../invalid-field-error.ts";

/** Thrown when a data set has no frame to calibrate on, or none to compare on afterwards. */
export class NoCalibrationFramesError extends InvalidFieldError {
  readonly reason = "NO_CALIBRATION_FRAMES";

  constructor(dataset: string, free: number, heldOut: number) {
    super(
      "dataset",
      `Expected frames to calibrate on and others to compare on, ${dataset} has ${free} beside ${heldOut} that the version's training held out`,
    );
  }
}

/** Thrown when more frames are asked for than there are. */
export class TooFewCalibrationFramesError extends InvalidFieldError {
  readonly reason = "TOO_FEW_CALIBRATION_FRAMES";

  constructor(asked: number, available: number) {
    super("calibration_frames", `Expected at most the ${available} frames there are to calibrate on, got ${asked}`);
  }
}

/** Frames that are enough to see what a layer's inputs are. */
export const DEFAULT_CALIBRATION_FRAMES = 128;
/** Frames on which both precisions are compared. */
export const DEFAULT_CHECK_FRAMES = 512;

/** Places in the data set, each list ascending; no frame is in both. */
export interface CalibrationParts {
  readonly calibration: Uint32Array;
  /** What float32 and int8 are compared on. */
  readonly check: Uint32Array;
  /** The latter are frames that the version's training held out. */
  readonly isHeldOut: boolean;
}

/** How many frames are drawn. */
export interface CalibrationCounts {
  /** 0: the default, or as many as there are. */
  readonly calibrationFrames: number;
  /** 0: the default. At most so many. */
  readonly checkFrames: number;
  readonly seed: number;
}

/**
 * Draws the frames of a quantisation. It calibrates on what the version's training saw, or on anything of another data set,
 * and compares on what that training held out, where that is known; else on frames that are left over.
 *
 * @throws {NoCalibrationFramesError} @throws {TooFewCalibrationFramesError}
 */
export function calibrationParts(
  dataset: Dataset,
  { name, card }: { readonly name: string; readonly card: ModelCard },
  { calibrationFrames, checkFrames, seed }: CalibrationCounts,
): CalibrationParts {
  const all = Uint32Array.from(dataset.samples.keys());
  const isKnown = isHeldOutKnown(card, dataset.digest);
  const isHeldOut = isKnown ? heldOutFrames(dataset, card) : () => false;
  const heldOut = shuffle(all.filter(isHeldOut), [seed, "quantization-check"]);
  const free = shuffle(
    all.filter((index) => !isHeldOut(index)),
    [seed, "quantization-calibration"],
  );
  // Where nothing is held out, half of the frames are left to compare on.
  const available = heldOut.length > 0 ? free.length : Math.floor(free.length / 2);
  if (available === 0) throw new NoCalibrationFramesError(name, free.length, heldOut.length);
  if (calibrationFrames > available) throw new TooFewCalibrationFramesError(calibrationFrames, available);
  const count = calibrationFrames || Math.min(DEFAULT_CALIBRATION_FRAMES, available);
  const rest = heldOut.length > 0 ? heldOut : free.subarray(count);
  return {
    calibration: free.slice(0, count).sort(),
    check: rest.slice(0, checkFrames || DEFAULT_CHECK_FRAMES).sort(),
    isHeldOut: heldOut.length > 0,
  };
}

function shuffle(indices: Uint32Array, stream: readonly (number | string)[]): Uint32Array {
  return createRandom(stream)
    .permutation(indices.length)
    .map((place) => indices[place]!);
}
