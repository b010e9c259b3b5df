/** Thrown when a model answers something that is no number: it is broken, and any figure of it would be, too. */
export class NonFiniteScoreError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "NON_FINITE_SCORE";

  constructor(score: number, frame: number, output: number) {
    super(`Expected finite scores, got ${score} in frame ${frame}, output ${output}, both counted from 0`);
    this.name = "NonFiniteScoreError";
  }
}

/** Checks scores [N * C]. @throws {NonFiniteScoreError} for the first that is NaN or infinite */
export function checkFinite(scores: Float32Array, outputs: number): void {
  const at = scores.findIndex((score) => !Number.isFinite(score));
  if (at >= 0) throw new NonFiniteScoreError(scores[at]!, Math.floor(at / outputs), at % outputs);
}
