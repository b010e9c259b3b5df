import { describe, expect, it } from "vitest";
import { chooseHalves } from "./choose-halves.ts";

describe("the halves of the photographs", () => {
  const portraits = new Set([0, 2, 5, 6, 9, 10, 14]);
  const halves = chooseHalves(15, (frame) => portraits.has(frame));

  it("score nobody whom they have seen", () => {
    for (const { warped, scored } of halves) expect(warped.filter((frame) => scored.includes(frame))).toEqual([]);
  });

  it("score every photograph once and warp every portrait once", () => {
    const all = (of: "warped" | "scored") => halves.flatMap((half) => half[of]).toSorted((p, q) => p - q);
    expect(all("scored")).toEqual([...Array(15).keys()]);
    expect(all("warped")).toEqual([...portraits]);
  });

  it("have as many portraits, but for one", () => {
    expect(halves.map(({ warped }) => warped.length)).toEqual([4, 3]);
  });
});
