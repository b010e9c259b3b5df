import { comparePaired, macroAucOf, type PairedComparison } from "@duchenne/evaluation";
import type { SourceWeights } from "@duchenne/model";
import type { Faces } from "./faces.ts";
import { SETTINGS } from "./settings.ts";
import type { SideBySide } from "./side-by-side.ts";

/** Macro AUC from drawn weights (before) and from pretrained ones (after), with some of the labels. */
export interface LabelShareReport {
  readonly share: number;
  /** Frames with labels. */
  readonly labelled: number;
  readonly macroAuc: PairedComparison;
}

/** What pretraining on unlabelled faces is worth, by the share of the frames that have labels; one seed each. */
export async function measureFewLabels(
  sideBySide: SideBySide,
  faces: Faces,
  initial: SourceWeights,
): Promise<LabelShareReport[]> {
  const { shares, epochs } = SETTINGS.fewLabels;
  const measured = await sideBySide.measure(
    shares.flatMap((share) => {
      const shared = { faces, lambda: 0, seed: SETTINGS.seeds[0], epochs, share };
      const percent = `${100 * share} % of the labels`;
      return [
        { name: `${percent}, from scratch`, ...shared },
        { name: `${percent}, pretrained`, ...shared, initial },
      ];
    }),
  );
  return shares.map((share, which) => {
    const [scratch, pretrained] = [measured[2 * which]!, measured[2 * which + 1]!];
    const { labelled, scored } = scratch;
    const run = { subjects: scored.subjects, before: macroAucOf(scored), after: macroAucOf(pretrained.scored) };
    return { share, labelled, macroAuc: comparePaired([run], SETTINGS.bootstrap) };
  });
}
