/** What the order of scores is worth. */
export interface RankingFigures {
  /**
   * The area under the ROC curve as the probability that a positive scores above a negative, ties counting half (Mann and
   * Whitney 1947); undefined when one class has no weight.
   */
  readonly auc: number | undefined;
  /**
   * The area under the precision-recall curve as the sum of precision times gain in recall, without interpolation, which
   * would be optimistic (Davis and Goadrich 2006). Chance is the prevalence. Undefined without positives.
   */
  readonly averagePrecision: number | undefined;
}

/** Scores that were sorted once, and are asked again for every resample by other weights. */
export interface WeightedRanking {
  /** @param weightOf how often a sample counts */
  figures(weightOf: (sample: number) => number): RankingFigures;
}

/** Sorts the scores once. @param positive 1 or 0 a sample, in the order of the scores */
export function prepareRanking(scores: ArrayLike<number>, positive: ArrayLike<number>): WeightedRanking {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  return {
    figures(weightOf) {
      let positives = 0;
      let negatives = 0;
      let wins = 0;
      let precisions = 0;
      for (let i = 0; i < order.length; ) {
        let tiedPositives = 0;
        let tiedNegatives = 0;
        const score = scores[order[i]!]!;
        for (; i < order.length && scores[order[i]!] === score; i++) {
          const weight = weightOf(order[i]!);
          if (positive[order[i]!] === 1) tiedPositives += weight;
          else tiedNegatives += weight;
        }
        wins += tiedNegatives * (positives + tiedPositives / 2);
        positives += tiedPositives;
        negatives += tiedNegatives;
        if (tiedPositives > 0) precisions += (tiedPositives * positives) / (positives + negatives);
      }
      return {
        auc: positives === 0 || negatives === 0 ? undefined : wins / (positives * negatives),
        averagePrecision: positives === 0 ? undefined : precisions / positives,
      };
    },
  };
}
