import { expect, it } from "vitest";
import { ChartedUnits } from "./charted-units.ts";

it("begins with what people try first, of what the model answers", () => {
  const charted = new ChartedUnits();
  charted.describe([1, 2, 12, 43]);
  expect(charted.entries.map(({ actionUnit }) => actionUnit)).toEqual([1, 12]);
  const other = new ChartedUnits();
  other.describe([6, 7, 10, 14, 17]);
  expect(other.entries.map(({ actionUnit }) => actionUnit)).toEqual([6, 7, 10, 14]);
});

it("keeps a colour while it is shown, and gives it on afterwards", () => {
  const charted = new ChartedUnits();
  charted.describe([1, 2, 4, 12, 26, 43]);
  const color = charted.colorOf(4);
  charted.toggle(12);
  expect(charted.colorOf(4)).toBe(color);
  charted.toggle(4);
  expect(charted.colorOf(4)).toBeUndefined();
  for (const actionUnit of [2, 43, 12]) expect(charted.toggle(actionUnit)).toBe(true);
  expect(charted.toggle(4)).toBe(false);
  expect(new Set(charted.entries.map((entry) => entry.color)).size).toBe(5);
});

it("drops what another model does not answer", () => {
  const charted = new ChartedUnits();
  charted.describe([1, 4, 12]);
  charted.describe([12, 25]);
  expect(charted.entries.map(({ actionUnit }) => actionUnit)).toEqual([12]);
});
