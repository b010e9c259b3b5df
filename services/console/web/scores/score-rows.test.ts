import { create } from "@bufbuild/protobuf";
import { ActionUnitDescriptionSchema, FaceSchema, ScoreKind, Side } from "@duchenne/proto";
import { expect, it } from "vitest";
import { presentInWords, scoreKindInWords, scoreRows } from "./score-rows.ts";

const unit = (actionUnit: number, displayName: string, scoreKind: ScoreKind = ScoreKind.ACTIVATION) =>
  create(ActionUnitDescriptionSchema, { actionUnit, displayName, threshold: 0.5, scoreKind });
const units = [unit(12, "Lip corner puller"), unit(1, "Inner brow raiser")];
const face = create(FaceSchema, {
  scores: [
    { actionUnit: 1, score: 0.2 },
    { actionUnit: 12, score: 0.8, present: true, rawScore: 0.9 },
    { actionUnit: 12, side: Side.LEFT, score: 0.8 },
    { actionUnit: 12, side: Side.RIGHT, score: 0.6 },
  ],
});

it("has a row for each action unit of the model, by number, with its sides", () => {
  const rows = scoreRows(units, face);
  expect(rows.map(({ actionUnit }) => actionUnit)).toEqual([1, 12]);
  expect(rows[0]).toMatchObject({ score: 0.2, present: false, left: undefined, rawScore: undefined });
  expect(rows[1]).toMatchObject({ score: 0.8, present: true, left: 0.8, right: 0.6, rawScore: 0.9 });
});

it("has the same rows without a face, and no score in them", () => {
  const rows = scoreRows(units, undefined);
  expect(rows.map(({ score, present }) => [score, present])).toEqual([
    [undefined, false],
    [undefined, false],
  ]);
});

it("says what is present", () => {
  expect(presentInWords(scoreRows(units, face))).toBe("Lip corner puller (AU12)");
  expect(presentInWords(scoreRows(units, undefined))).toBe("No action unit above its threshold");
});

it("says what the scores are, and nothing more where they differ", () => {
  expect(scoreKindInWords(units)).toBe("Activation");
  expect(scoreKindInWords([unit(1, "", ScoreKind.PROBABILITY)])).toBe("Probability");
  expect(scoreKindInWords([...units, unit(4, "", ScoreKind.PROBABILITY)])).toBe("Score");
  expect(scoreKindInWords([])).toBe("Score");
});
