import type { UnitWeights } from "./bootstrap.ts";
import type { Confusion } from "./counts.ts";
import { isPresent, type ScoredLabels } from "./sweep.ts";

/**
 * The outcomes of one action unit's decisions at a threshold. They are counted once a sampling unit; a resample only adds
 * them up.
 *
 * @param owners the sampling unit of each frame
 * @param count of sampling units
 */
export function countDecisions(
  { frames, scores, positive }: ScoredLabels,
  { threshold, owners, count }: { readonly threshold: number; readonly owners: Int32Array; readonly count: number },
): (weights: UnitWeights) => Confusion {
  const truePositives = new Uint32Array(count);
  const falsePositives = new Uint32Array(count);
  const falseNegatives = new Uint32Array(count);
  const trueNegatives = new Uint32Array(count);
  for (const [i, label] of positive.entries()) {
    const isFound = isPresent(scores[i]!, threshold);
    const [right, wrong] = isFound ? [truePositives, falsePositives] : [trueNegatives, falseNegatives];
    const outcome = isFound === (label === 1) ? right : wrong;
    outcome[owners[frames[i]!]!]!++;
  }
  return (weights) => {
    const sum = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
    for (let owner = 0; owner < count; owner++) {
      const weight = weights[owner]!;
      if (weight === 0) continue;
      sum.truePositives += weight * truePositives[owner]!;
      sum.falsePositives += weight * falsePositives[owner]!;
      sum.falseNegatives += weight * falseNegatives[owner]!;
      sum.trueNegatives += weight * trueNegatives[owner]!;
    }
    return sum;
  };
}
