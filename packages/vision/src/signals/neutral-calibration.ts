/** A neutral face scores no more than this once it is calibrated. */
export const NEUTRAL_SCORE = 0.05;

/** Scores are taken to lie this far from 0 and 1: a logit must be finite. */
const MARGIN = 1e-4;

/** How far a person's neutral face lies above the neutral score, in logits, for every score of a face; never below 0. */
export type NeutralOffsets = readonly number[];

/**
 * A person's offsets from the mean scores of their neutral face. A score that is low already is left alone: a
 * calibration takes away what a face shows at rest, and adds nothing.
 */
export function neutralOffsets(neutral: readonly number[]): NeutralOffsets {
  return neutral.map((score) => Math.max(logit(score) - logit(NEUTRAL_SCORE), 0));
}

/** Takes a person's offset off a score, in logits. Larger scores stay larger. */
export function withoutOffset(score: number, offset: number): number {
  return offset === 0 ? score : 1 / (1 + Math.exp(offset - logit(score)));
}

function logit(score: number): number {
  const inside = Math.min(Math.max(score, MARGIN), 1 - MARGIN);
  return Math.log(inside / (1 - inside));
}
