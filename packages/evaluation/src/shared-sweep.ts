import type { SamplingUnits, UnitWeights } from "./bootstrap.ts";
import { f1FromCounts } from "./counts.ts";
import { bestThreshold, isPresent, LAST_PERCENT, type ScoredLabels, type SweptThreshold } from "./sweep.ts";

/** What one threshold for all action units reaches: in the mean, which is its value, and of each. */
export interface SharedSweep extends SweptThreshold {
  readonly units: readonly number[];
}

/**
 * Prepares the sweep of one threshold for all action units (1.12 of the behavioural specification) for resamples of the
 * sampling units: of 0.01 to 0.99 that with the largest mean F1, of equal ones the first. Every resample is swept anew, for
 * choosing the threshold on the very frames is a part of the figure.
 */
export function prepareSharedSweep(
  units: readonly ScoredLabels[],
  { owners }: Pick<SamplingUnits, "owners">,
): (weights: UnitWeights) => SharedSweep {
  const curves = units.map((unit) => prepareCurve(unit, owners));
  return (weights) => {
    const f1s = curves.map((curve) => curve(weights));
    const best = bestThreshold((percent) => f1s.reduce((sum, f1) => sum + f1[percent]!, 0) / f1s.length);
    return { ...best, units: f1s.map((f1) => f1[Math.round(100 * best.threshold)]!) };
  };
}

/** F1 of one action unit at each hundredth, by that; 0 has no meaning. */
function prepareCurve(
  { frames, scores, positive }: ScoredLabels,
  owners: Int32Array,
): (weights: UnitWeights) => Float64Array {
  // Frames of one sampling unit and label that the same thresholds find are alike; a subject has thousands of frames.
  const alike = new Map<number, { owner: number; percent: number; label: number; frames: number }>();
  for (const [i, label] of positive.entries()) {
    const owner = owners[frames[i]!]!;
    const percent = lastFinding(scores[i]!);
    const key = (owner * (LAST_PERCENT + 1) + percent) * 2 + label;
    const group = alike.get(key);
    if (group === undefined) alike.set(key, { owner, percent, label, frames: 1 });
    else group.frames++;
  }
  const groups = [...alike.values()];
  return (weights) => {
    const negatives = new Float64Array(LAST_PERCENT + 1);
    const positives = new Float64Array(LAST_PERCENT + 1);
    let all = 0;
    for (const group of groups) {
      const count = weights[group.owner]! * group.frames;
      (group.label === 1 ? positives : negatives)[group.percent]! += count;
      if (group.label === 1) all += count;
    }
    const f1 = new Float64Array(LAST_PERCENT + 1);
    let [truePositives, falsePositives] = [0, 0];
    for (let percent = LAST_PERCENT; percent >= 1; percent--) {
      truePositives += positives[percent]!;
      falsePositives += negatives[percent]!;
      f1[percent] = f1FromCounts({ truePositives, falsePositives, falseNegatives: all - truePositives });
    }
    return f1;
  };
}

/** The largest threshold, in hundredths, that finds a score; 0 when none does. */
function lastFinding(score: number): number {
  // One more than what doubles say: in single precision some hundredths are less.
  let percent = Math.min(Math.floor(100 * score) + 1, LAST_PERCENT);
  while (percent > 0 && !isPresent(score, percent / 100)) percent--;
  return Math.max(percent, 0);
}
