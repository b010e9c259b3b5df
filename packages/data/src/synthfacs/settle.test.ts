import { expect, it } from "vitest";
import { createRandom } from "../random.ts";
import { settle, settledRates } from "./settle.ts";
import { SYNTHFACS_ACTION_UNITS } from "./subject.ts";

it("settledRates says what settle leaves of independent draws", () => {
  const random = createRandom([1, "settle"]);
  const drawnRates = new Map(SYNTHFACS_ACTION_UNITS.map((number) => [number, 0.1 + 0.8 * random.uniform()]));
  const expected = settledRates(drawnRates);
  const frames = 40_000;
  const counts = new Map(SYNTHFACS_ACTION_UNITS.map((number) => [number, 0]));
  for (let f = 0; f < frames; f++) {
    const drawn = new Map([...drawnRates].map(([number, rate]) => [number, random.uniform() < rate ? 3 : 0]));
    settle(drawn);
    for (const [number, intensity] of drawn) if (intensity >= 2) counts.set(number, counts.get(number)! + 1);
  }
  for (const [number, rate] of expected) {
    // Four standard errors of a share.
    expect(Math.abs(counts.get(number)! / frames - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / frames));
  }
});
