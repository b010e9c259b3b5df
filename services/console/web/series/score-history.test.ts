import { expect, it } from "vitest";
import { ScoreHistory } from "./score-history.ts";

it("keeps the newest moments and gives those of the span, in the order that is asked for", () => {
  const history = new ScoreHistory(4);
  history.reset([1, 12]);
  for (let i = 1; i <= 6; i++) history.push(i * 1000, (actionUnit) => (actionUnit === 1 ? i / 8 : i / 16));
  expect(history.window([12, 1], 6000, 2500)).toEqual({
    secondsAgo: [-2, -1, 0],
    columns: [
      [0.25, 0.3125, 0.375],
      [0.5, 0.625, 0.75],
    ],
  });
  // Only four moments are kept, whatever the span.
  expect(history.window([1], 6000, 60_000).secondsAgo).toEqual([-3, -2, -1, 0]);
});

it("has gaps where there was no score, or no such action unit", () => {
  const history = new ScoreHistory(8);
  history.reset([4]);
  history.push(0, () => 0.5);
  history.push(100, () => undefined);
  history.push(200, () => 0);
  expect(history.window([4, 99], 200, 1000).columns).toEqual([
    [0.5, null, 0],
    [null, null, null],
  ]);
});

it("forgets the past of another model", () => {
  const history = new ScoreHistory(8);
  history.reset([1]);
  history.push(0, () => 1);
  history.reset([1, 2]);
  expect(history.window([1], 0, 1000)).toEqual({ secondsAgo: [], columns: [[]] });
});
