/** The outcomes of a binary decision, possibly weighted. */
export interface Counts {
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
}

/** F1 = 2 TP / (2 TP + FP + FN); 0 when there is nothing to find and nothing was found, as the reference counts it. */
export function f1FromCounts({ truePositives, falsePositives, falseNegatives }: Counts): number {
  const whole = 2 * truePositives + falsePositives + falseNegatives;
  return whole === 0 ? 0 : (2 * truePositives) / whole;
}

/** F1 of always answering "present" at a prevalence: what a model reaches that has learned nothing. */
export function trivialF1(prevalence: number): number {
  return (2 * prevalence) / (1 + prevalence);
}
