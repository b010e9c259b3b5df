import type { Detection } from "@duchenne/vision";

/** How two models differ on one action unit of one face. */
export interface ScoreComparison {
  readonly actionUnit: number;
  /** The canary's score less the live one; undefined where the two do not mean the same. */
  readonly difference: number | undefined;
  /** Which of them say that the action unit is present. */
  readonly decision: "same" | "live-only" | "canary-only";
}

/**
 * Compares what two models say of the same faces, whole-face scores alone and action units that both answer.
 *
 * @param sameKind both scores are probabilities, or both activations
 */
export function compareDetections(
  { faces: live }: Detection,
  { faces: canary }: Detection,
  sameKind: boolean,
): ScoreComparison[] {
  return live.flatMap((face, i) => {
    const others = new Map(
      (canary[i]?.scores ?? []).filter(({ side }) => side === undefined).map((each) => [each.actionUnit, each]),
    );
    return face.scores.flatMap(({ actionUnit, side, score, threshold }): ScoreComparison[] => {
      const other = others.get(actionUnit);
      if (side !== undefined || other === undefined) return [];
      const [present, otherPresent] = [score >= threshold, other.score >= other.threshold];
      const decision = present === otherPresent ? "same" : present ? "live-only" : "canary-only";
      return [{ actionUnit, difference: sameKind ? other.score - score : undefined, decision }];
    });
  });
}
