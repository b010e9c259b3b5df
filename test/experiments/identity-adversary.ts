import { accuracyOf, comparePaired, macroAucOf, type PairedComparison, type PairedRun } from "@duchenne/evaluation";
import type { SourceWeights } from "@duchenne/model";
import type { Faces } from "./faces.ts";
import type { MeasuredDetector } from "./measure-detector.ts";
import { SETTINGS } from "./settings.ts";
import type { SideBySide } from "./side-by-side.ts";

/** What the adversary changed. */
export interface AdversaryReport {
  /** Macro AUC on held-out subjects, mean over seeds. */
  readonly macroAuc: PairedComparison;
  /** By the number of layers of the probe. */
  readonly probes: readonly { readonly layers: number; readonly top1: PairedComparison; readonly chance: number }[];
  /** Macro AUC of gradient histograms under a logistic regression, by seed. */
  readonly hogAuc: readonly number[];
  /** Figures after each epoch, by seed and lambda. */
  readonly curves: readonly EpochFigures[];
}

/** How a detector stood after an epoch. */
export interface EpochFigures {
  readonly seed: number;
  readonly lambda: number;
  readonly epoch: number;
  /** At 0.5, mean over action units. */
  readonly meanF1: number;
  /** At the threshold that fits the test part best. */
  readonly sweptF1: number;
  readonly macroAuc: number;
  /**
   * Norm of the reversed identity loss's gradient at the backbone, lambda included, divided by that of the AU loss (section 5.3
   * of the paper): mean over the epoch's measured steps. Absent without an adversary.
   */
  readonly gradientRatio: number | undefined;
  /** Mean over the epoch's steps, in nats: ln of the number of people trained on says that the head knows nobody. Absent as above. */
  readonly identityLoss: number | undefined;
}

/** The paper's claim in miniature: with the adversary identity is harder to read, and action units are not. */
export async function measureAdversary(
  sideBySide: SideBySide,
  faces: Faces,
  initial: SourceWeights,
  seeds: readonly number[],
): Promise<AdversaryReport> {
  const lambdas = [0, SETTINGS.lambda];
  const measured = await sideBySide.measure(
    seeds.flatMap((seed) =>
      lambdas.map((lambda) => ({
        name: `seed ${seed}, lambda ${lambda}`,
        faces,
        lambda,
        seed,
        epochs: SETTINGS.fineTune.epochs,
        initial,
        probes: SETTINGS.probes,
        withHistograms: lambda === 0,
      })),
    ),
  );
  const pairs = seeds.map((_, which) => {
    const [plain, adversarial] = measured.slice(which * lambdas.length);
    return { plain: plain!, adversarial: adversarial! };
  });
  const compared = (runs: readonly PairedRun[]) => comparePaired(runs, SETTINGS.bootstrap);
  return {
    macroAuc: compared(
      pairs.map(({ plain, adversarial }) => ({
        subjects: plain.scored.subjects,
        before: macroAucOf(plain.scored),
        after: macroAucOf(adversarial.scored),
      })),
    ),
    probes: SETTINGS.probes.map((layers, which) => ({
      layers,
      chance: pairs[0]!.plain.probes[which]!.chance,
      top1: compared(
        pairs.map(({ plain, adversarial }) => ({
          subjects: plain.probes[which]!.heldSubjects,
          before: accuracyOf(plain.probes[which]!.isRight),
          after: accuracyOf(adversarial.probes[which]!.isRight),
        })),
      ),
    })),
    hogAuc: pairs.map(({ plain }) => plain.histogramAuc!),
    curves: measured.flatMap(curveOf),
  };
}

function curveOf({ seed, lambda, epochs }: MeasuredDetector): EpochFigures[] {
  return epochs.map((figures, index) => ({
    seed,
    lambda,
    epoch: index + 1,
    meanF1: figures["test/meanF1"]!,
    sweptF1: figures["test/sweptF1"]!,
    macroAuc: figures["test/macroAuc"]!,
    gradientRatio: figures["epoch/gradientRatio"],
    identityLoss: figures["epoch/identityLoss"],
  }));
}
