import { FramesDifferError, hasSameFrames, ON_UNSEEN_FRAMES } from "@duchenne/evaluation";
import type { ScoredEvaluation } from "./scored-evaluation.ts";

/**
 * Checks that frames of two evaluations can be compared: that both are of the same ones, or both of what their trainings held
 * out of the same data set. What both of these have was seen by neither training; what one held out may be what the other was
 * trained on.
 *
 * @throws {FramesDifferError}
 */
export function requireComparableFrames(before: ScoredEvaluation, after: ScoredEvaluation): void {
  if (before.datasetDigest !== after.datasetDigest) {
    const [first, second] = [before, after].map(
      ({ record, datasetDigest }) => `${record.dataset} (${datasetDigest.slice(0, 12)})`,
    );
    throw new FramesDifferError(`Expected evaluations of the same data set, got ${first} and ${second}`);
  }
  if (hasSameFrames(before.scores, after.scores)) return;
  if (before.split === "held_out" && after.split === "held_out") return;
  const got = [before, after].map(
    ({ name, split, scores }) =>
      `${scores.frames.length} ${split === "held_out" ? "held-out frames" : "frames of the whole data set"} in ${name}`,
  );
  const problem = `Expected evaluations of the same frames, or both of the held-out part, got ${got.join(" and ")}`;
  if (before.split === after.split) throw new FramesDifferError(problem);
  const whole = before.split === "all" ? before : after;
  throw new FramesDifferError(
    `${problem}. The frames of ${whole.name} may include what ${whole.record.modelVersion} was trained on. Evaluate both on their held-out parts, or ${ON_UNSEEN_FRAMES}`,
  );
}
