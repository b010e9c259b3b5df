import { type ActionUnitDescription, type AuScore, type Face, ScoreKind, Side } from "@duchenne/proto";

/** An action unit with what a face scores. */
export interface ScoreRow {
  readonly actionUnit: number;
  readonly name: string;
  readonly threshold: number;
  /** Where the threshold comes from, in words. */
  readonly thresholdNote: string;
  /** What the score is computed from. */
  readonly source: string;
  /** Undefined without a face. */
  readonly score: number | undefined;
  readonly present: boolean;
  /** The model's own score, where calibration or smoothing made another of it. */
  readonly rawScore: number | undefined;
  /** From the person's own point of view, where the model reads sides. */
  readonly left: number | undefined;
  readonly right: number | undefined;
}

/** One row for each action unit that the model answers, by number. @param face undefined: there is none */
export function scoreRows(units: readonly ActionUnitDescription[], face: Face | undefined): ScoreRow[] {
  const scores = new Map(face?.scores.map((score) => [`${score.actionUnit} ${score.side}`, score]));
  const find = (actionUnit: number, side: Side): AuScore | undefined => scores.get(`${actionUnit} ${side}`);
  return [...units]
    .sort((a, b) => a.actionUnit - b.actionUnit)
    .map(({ actionUnit, displayName, threshold, thresholdNote, source }) => {
      const whole = find(actionUnit, Side.UNSPECIFIED);
      return {
        actionUnit,
        name: displayName,
        threshold,
        thresholdNote,
        source,
        score: whole?.score,
        present: whole?.present ?? false,
        rawScore: whole?.rawScore,
        left: find(actionUnit, Side.LEFT)?.score,
        right: find(actionUnit, Side.RIGHT)?.score,
      };
    });
}

/** What all of a model's scores are, in a word. */
export function scoreKindInWords(units: readonly ActionUnitDescription[]): "Probability" | "Activation" | "Score" {
  if (units.length === 0) return "Score";
  if (units.every(({ scoreKind }) => scoreKind === ScoreKind.PROBABILITY)) return "Probability";
  return units.every(({ scoreKind }) => scoreKind === ScoreKind.ACTIVATION) ? "Activation" : "Score";
}

/** What is present, in a sentence. */
export function presentInWords(rows: readonly ScoreRow[]): string {
  const present = rows.filter((row) => row.present);
  if (present.length === 0) return "No action unit above its threshold";
  return present.map(({ actionUnit, name }) => `${name} (AU${actionUnit})`).join(", ");
}
