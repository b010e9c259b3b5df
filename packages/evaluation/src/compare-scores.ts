import { type BootstrapOptions, type SamplingUnits, samplingUnitsOf } from "./bootstrap.ts";
import { takeRows } from "./classification.ts";
import { type CommonFrames, commonFrames } from "./common-frames.ts";
import { comparePairedFigures, type PairedComparison, type WeightedFigures } from "./compare-paired.ts";
import { f1FromCounts } from "./counts.ts";
import { countDecisions } from "./decisions.ts";
import type { FrameScores } from "./frame-scores.ts";
import { mean } from "./mean.ts";
import { prepareRanking } from "./ranking.ts";
import { scoredLabelsOf } from "./thresholds.ts";

/** How the figures of two evaluations differ on the frames and action units that both have. */
export interface ScoreComparison {
  /** Those that both have, which all figures are on. */
  readonly frames: number;
  /** Of the first alone, in no figure. */
  readonly framesOnlyBefore: number;
  /** Of the second alone, in no figure. */
  readonly framesOnlyAfter: number;
  /** Of the frames that both have; 0 when they are not known. */
  readonly subjects: number;
  readonly intervalsOver: SamplingUnits["kind"];
  readonly resamples: number;
  readonly seed: number;
  readonly confidence: number;
  /** Over the action units that have an AUC. */
  readonly macroAuc: PairedComparison;
  /** At each version's thresholds. */
  readonly meanF1: PairedComparison;
  readonly actionUnits: readonly {
    readonly actionUnit: number;
    /** Empty where it does not occur: then there is nothing to find. */
    readonly f1: PairedComparison;
    /** Empty where one class alone occurs. */
    readonly auc: PairedComparison;
  }[];
  /** Action units of one evaluation alone, which are in no figure. */
  readonly onlyBefore: readonly number[];
  readonly onlyAfter: readonly number[];
}

/** Thrown when two evaluations are of other action units. */
export class NoSharedActionUnitError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "NO_SHARED_ACTION_UNIT";

  constructor(before: readonly number[], after: readonly number[]) {
    super(
      `Expected evaluations of some of the same action units, got AU ${before.join(", ")} and AU ${after.join(", ")}`,
    );
    this.name = "NoSharedActionUnitError";
  }
}

/**
 * Compares what two versions scored on the frames that both have, by a bootstrap that draws the same subjects for both.
 * Whether frames of one alone may be left out is the caller's to know: both must be of what their trainings held out.
 *
 * @throws {NoCommonFrameError} @throws {NoSharedActionUnitError}
 */
export function compareScores(before: FrameScores, after: FrameScores, options: BootstrapOptions): ScoreComparison {
  const { shared, rows } = checkComparable(before, after);
  const [first, second] = [takeFrames(before, rows.before), takeFrames(after, rows.after)];
  const { subjects } = first;
  const sampling = samplingUnitsOf(subjects);
  const run = {
    subjects,
    before: figuresOf(first, shared, sampling),
    after: figuresOf(second, shared, sampling),
  };
  const [macroAuc, meanF1, ...units] = comparePairedFigures([run], options) as [
    PairedComparison,
    PairedComparison,
    ...PairedComparison[],
  ];
  return {
    frames: subjects.length,
    framesOnlyBefore: before.frames.length - subjects.length,
    framesOnlyAfter: after.frames.length - subjects.length,
    subjects: sampling.subjects.length,
    intervalsOver: sampling.kind,
    resamples: options.resamples,
    seed: options.seed,
    confidence: options.confidence ?? 0.95,
    macroAuc,
    meanF1,
    actionUnits: shared.map((actionUnit, i) => ({ actionUnit, f1: units[2 * i]!, auc: units[2 * i + 1]! })),
    onlyBefore: before.actionUnits.filter((actionUnit) => !shared.includes(actionUnit)),
    onlyAfter: after.actionUnits.filter((actionUnit) => !shared.includes(actionUnit)),
  };
}

/** The action units and frames that both have. @throws {NoCommonFrameError} @throws {NoSharedActionUnitError} */
export function checkComparable(
  before: FrameScores,
  after: FrameScores,
): { readonly shared: readonly number[]; readonly rows: CommonFrames } {
  const shared = before.actionUnits.filter((actionUnit) => after.actionUnits.includes(actionUnit));
  if (shared.length === 0) throw new NoSharedActionUnitError(before.actionUnits, after.actionUnits);
  return { shared, rows: commonFrames(before, after) };
}

/** The scores of some frames. */
function takeFrames(scores: FrameScores, rows: readonly number[]): FrameScores {
  const width = scores.actionUnits.length;
  return {
    ...scores,
    frames: Uint32Array.from(rows, (row) => scores.frames[row]!),
    subjects: rows.map((row) => scores.subjects[row]!),
    probabilities: takeRows(scores.probabilities, width, rows),
    occurrence: takeRows(scores.occurrence, width, rows),
  };
}

/** Macro AUC, mean F1, and F1 and AUC of each of the action units. */
function figuresOf(scores: FrameScores, actionUnits: readonly number[], sampling: SamplingUnits): WeightedFigures {
  const { owners, count } = sampling;
  const frameOf = new Uint32Array(count);
  for (const [frame, owner] of owners.entries()) frameOf[owner] = frame;
  const units = actionUnits.map((actionUnit) => {
    const unit = scores.actionUnits.indexOf(actionUnit);
    const labelled = scoredLabelsOf(scores, unit);
    return {
      frames: labelled.frames,
      occurs: labelled.positive.includes(1),
      ranking: prepareRanking(labelled.scores, labelled.positive),
      confusion: countDecisions(labelled, { threshold: scores.thresholds[unit]!, owners, count }),
    };
  });
  return (weightOf) => {
    const weights = Uint16Array.from(frameOf, weightOf);
    const figures = units.map(({ frames, ranking, confusion, occurs }) => {
      return {
        f1: f1FromCounts(confusion(weights)),
        occurs,
        auc: ranking.figures((sample) => weightOf(frames[sample]!)).auc,
      };
    });
    return [
      mean(figures.flatMap(({ auc }) => auc ?? [])),
      mean(figures.map(({ f1 }) => f1)),
      ...figures.flatMap(({ f1, occurs, auc }) => [occurs ? f1 : undefined, auc]),
    ];
  };
}
