import type { Confusion } from "./counts.ts";
import { mean } from "./mean.ts";
import type { EvaluationReport } from "./report.ts";

/** The mean prevalence of the action units that have frames with a known label; undefined when none has. */
export function meanPrevalence({
  actionUnits,
}: {
  readonly actionUnits: readonly { readonly frames: number; readonly prevalence: number }[];
}): number | undefined {
  return mean(actionUnits.flatMap(({ frames, prevalence }) => (frames === 0 ? [] : prevalence)));
}

/** The decisions of all action units together, those of F1-micro; undefined in reports of earlier releases. */
export function totalConfusion({ actionUnits }: Pick<EvaluationReport, "actionUnits">): Confusion | undefined {
  const total = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  for (const { confusion } of actionUnits) {
    if (confusion === undefined) return undefined;
    total.truePositives += confusion.truePositives;
    total.falsePositives += confusion.falsePositives;
    total.falseNegatives += confusion.falseNegatives;
    total.trueNegatives += confusion.trueNegatives;
  }
  return total;
}
