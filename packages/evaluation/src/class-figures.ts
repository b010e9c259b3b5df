import { f1FromCounts } from "./counts.ts";
import { mean } from "./mean.ts";

/** Answers beside labels of N frames, both as indices of C classes. */
export interface AnsweredFrames {
  readonly labels: Int32Array;
  /** -1: none of the classes, which is wrong of any label. */
  readonly answers: Int32Array;
  readonly classes: number;
}

/** What answers are worth when frames count as often as told. */
export interface ClassFigures {
  /** [C * C] weights of frames, by their class times C plus the answer. */
  readonly confusion: Float64Array;
  readonly top1: number | undefined;
  /** Mean recall of the classes that occur. */
  readonly meanClassAccuracy: number | undefined;
  /** Mean F1 of the classes that occur. */
  readonly macroF1: number | undefined;
  /** Of each class; undefined when it does not occur. */
  readonly recalls: readonly (number | undefined)[];
  /** Of each class against all others; undefined when it does not occur. */
  readonly f1s: readonly (number | undefined)[];
}

/** Counts answers and says what they are worth. */
export function classFigures(
  { labels, answers, classes }: AnsweredFrames,
  weightOf: (frame: number) => number,
): ClassFigures {
  const confusion = new Float64Array(classes * classes);
  const labelled = new Float64Array(classes);
  const answered = new Float64Array(classes);
  for (let frame = 0; frame < labels.length; frame++) {
    const weight = weightOf(frame);
    const [label, answer] = [labels[frame]!, answers[frame]!];
    labelled[label]! += weight;
    if (answer === -1) continue;
    answered[answer]! += weight;
    confusion[label * classes + answer]! += weight;
  }
  const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);
  const hits = Array.from(labelled, (_, index) => confusion[index * classes + index]!);
  const occurring = Array.from(labelled, (weight) => weight > 0);
  const recalls = hits.map((hit, index) => (occurring[index] ? hit / labelled[index]! : undefined));
  const f1s = hits.map((hit, index) => {
    if (!occurring[index]) return undefined;
    return f1FromCounts({
      truePositives: hit,
      falsePositives: answered[index]! - hit,
      falseNegatives: labelled[index]! - hit,
    });
  });
  return {
    confusion,
    top1: occurring.includes(true) ? sum(hits) / sum(labelled) : undefined,
    meanClassAccuracy: mean(recalls.flatMap((recall) => recall ?? [])),
    macroF1: mean(f1s.flatMap((f1) => f1 ?? [])),
    recalls,
    f1s,
  };
}
