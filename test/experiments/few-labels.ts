import type { Dataset } from "@duchenne/data";
import { comparePaired, macroAucOf, type PairedComparison } from "@duchenne/evaluation";
import type { SourceWeights } from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";
import { type FineTunedDetector, fineTuneDetector } from "./fine-tune-detector.ts";
import { SETTINGS } from "./settings.ts";

/** Macro AUC from drawn weights (before) and from pretrained ones (after), with some of the labels. */
export interface LabelShareReport {
  readonly share: number;
  /** Frames with labels. */
  readonly labelled: number;
  readonly macroAuc: PairedComparison;
}

/**
 * What pretraining on unlabelled faces is worth, by the share of the frames that have labels; one seed each.
 *
 * @param whole the detector of this seed that was trained with all labels from the pretrained weights
 */
export async function measureFewLabels(
  tf: TensorFlow,
  dataset: Dataset,
  initial: SourceWeights,
  whole: FineTunedDetector,
): Promise<LabelShareReport[]> {
  const reports: LabelShareReport[] = [];
  for (const share of SETTINGS.labelShares) {
    const percent = `${100 * share} % of the labels`;
    const shared = { dataset, lambda: 0, seed: SETTINGS.seeds[0], share };
    const scratch = await fineTuneDetector(tf, { name: `${percent}, from scratch`, ...shared });
    const pretrained =
      share === 1 ? whole : await fineTuneDetector(tf, { name: `${percent}, pretrained`, ...shared, initial });
    const { labelled, scored } = scratch;
    const run = { subjects: scored.subjects, before: macroAucOf(scored), after: macroAucOf(pretrained.scored) };
    reports.push({ share, labelled, macroAuc: comparePaired([run], SETTINGS.bootstrap) });
  }
  return reports;
}
