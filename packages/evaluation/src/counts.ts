/** The outcomes of a binary decision, possibly weighted. */
export interface Counts {
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
}

/** The same with what was rightly called absent: the confusion of a binary decision. */
export interface Confusion extends Counts {
  trueNegatives: number;
}

/** F1 = 2 TP / (2 TP + FP + FN); 0 when there is nothing to find and nothing was found, as the reference counts it. */
export function f1FromCounts({ truePositives, falsePositives, falseNegatives }: Counts): number {
  const whole = 2 * truePositives + falsePositives + falseNegatives;
  return whole === 0 ? 0 : (2 * truePositives) / whole;
}

/** F1 of the outcomes of all action units together (micro average): frequent action units weigh more than in the mean. */
export function microF1(units: readonly Counts[]): number {
  const pooled = { truePositives: 0, falsePositives: 0, falseNegatives: 0 };
  for (const { truePositives, falsePositives, falseNegatives } of units) {
    pooled.truePositives += truePositives;
    pooled.falsePositives += falsePositives;
    pooled.falseNegatives += falseNegatives;
  }
  return f1FromCounts(pooled);
}

/** F1 of always answering "present" at a prevalence: what a model reaches that has learned nothing. */
export function trivialF1(prevalence: number): number {
  return (2 * prevalence) / (1 + prevalence);
}
