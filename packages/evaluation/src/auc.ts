/**
 * The area under the ROC curve as the probability that a positive scores above a negative, ties counting half (Mann and
 * Whitney 1947). Prepared once, it is asked again for every resample by other weights.
 */
export interface WeightedAuc {
  /** @param weightOf how often a sample counts; undefined when one class has no weight. */
  auc(weightOf: (sample: number) => number): number | undefined;
}

/** Sorts the scores once. @param positive 1 or 0 a sample, in the order of the scores */
export function prepareAuc(scores: ArrayLike<number>, positive: ArrayLike<number>): WeightedAuc {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  return {
    auc(weightOf) {
      let negativesBelow = 0;
      let positives = 0;
      let wins = 0;
      for (let i = 0; i < order.length; ) {
        let tiedPositives = 0;
        let tiedNegatives = 0;
        const score = scores[order[i]!]!;
        for (; i < order.length && scores[order[i]!] === score; i++) {
          const weight = weightOf(order[i]!);
          if (positive[order[i]!] === 1) tiedPositives += weight;
          else tiedNegatives += weight;
        }
        wins += tiedPositives * (negativesBelow + tiedNegatives / 2);
        positives += tiedPositives;
        negativesBelow += tiedNegatives;
      }
      return positives === 0 || negativesBelow === 0 ? undefined : wins / (positives * negativesBelow);
    },
  };
}
