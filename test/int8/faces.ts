import type { SynthFacsOptions } from "@duchenne/data";

/** What the fixture answers: action units that move much, so that minutes are enough to learn them. */
export const ACTION_UNITS = [1, 2, 4, 12, 25, 26, 43];

/** The people that the fixture was trained on. */
export const TRAINING_FACES: SynthFacsOptions = {
  seed: 8001,
  subjects: 160,
  framesPerSubject: 24,
  imageSize: 96,
  identityShortcut: 0,
};
/** Other people, to calibrate on. */
export const CALIBRATION_FACES: SynthFacsOptions = {
  ...TRAINING_FACES,
  seed: 8002,
  subjects: 12,
  framesPerSubject: 16,
};
/** Others again, to compare on. */
export const UNSEEN_FACES: SynthFacsOptions = { ...TRAINING_FACES, seed: 8003, subjects: 24, framesPerSubject: 20 };
