import type { Dataset } from "@duchenne/data";
import { accuracyOf, comparePaired, macroAucOf, type PairedComparison, type PairedRun } from "@duchenne/evaluation";
import type { SourceWeights } from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";
import { type FineTunedDetector, fineTuneDetector } from "./fine-tune-detector.ts";
import { hogBaseline } from "./hog-baseline.ts";
import { type ProbedIdentity, probeIdentity } from "./probe-identity.ts";
import { SETTINGS } from "./settings.ts";

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
}

/**
 * The paper's claim in miniature: with the adversary identity is harder to read, and action units are not.
 *
 * @returns the figures, and the first seed's detector with lambda 0
 */
export async function measureAdversary(
  tf: TensorFlow,
  dataset: Dataset,
  initial: SourceWeights,
  seeds: readonly number[],
): Promise<{ readonly adversary: AdversaryReport; readonly plain: FineTunedDetector }> {
  const pairs: { readonly plain: Measured; readonly adversarial: Measured }[] = [];
  const hogAuc: number[] = [];
  for (const seed of seeds) {
    const measure = async (lambda: number): Promise<Measured> => {
      const name = `seed ${seed}, lambda ${lambda}`;
      const detector = await fineTuneDetector(tf, { name, dataset, lambda, seed, initial });
      const probes: ProbedIdentity[] = [];
      for (const layers of SETTINGS.probes) {
        probes.push(await probeIdentity(tf, `${name}, probe of ${layers}`, dataset, detector.model, layers));
      }
      return { seed, lambda, detector, probes };
    };
    const plain = await measure(0);
    pairs.push({ plain, adversarial: await measure(SETTINGS.lambda) });
    const { trainSamples: train, testSamples: test, scored } = plain.detector;
    const probabilities = await hogBaseline(tf, dataset, { train, test, ...SETTINGS.encoder });
    hogAuc.push(macroAucOf({ ...scored, probabilities })(() => 1) ?? Number.NaN);
  }
  const compared = (runs: readonly PairedRun[]) => comparePaired(runs, SETTINGS.bootstrap);
  const adversary: AdversaryReport = {
    macroAuc: compared(
      pairs.map(({ plain, adversarial }) => ({
        subjects: plain.detector.scored.subjects,
        before: macroAucOf(plain.detector.scored),
        after: macroAucOf(adversarial.detector.scored),
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
    hogAuc,
    curves: pairs.flatMap(({ plain, adversarial }) => [plain, adversarial].flatMap(curveOf)),
  };
  return { adversary, plain: pairs[0]!.plain.detector };
}

interface Measured {
  readonly seed: number;
  readonly lambda: number;
  readonly detector: FineTunedDetector;
  readonly probes: readonly ProbedIdentity[];
}

function curveOf({ seed, lambda, detector }: Measured): EpochFigures[] {
  return detector.epochs.map((figures, index) => ({
    seed,
    lambda,
    epoch: index + 1,
    meanF1: figures["test/meanF1"]!,
    sweptF1: figures["test/sweptF1"]!,
    macroAuc: figures["test/macroAuc"]!,
    gradientRatio: figures["epoch/gradientRatio"],
  }));
}
