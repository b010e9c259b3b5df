import { expect, it } from "vitest";
import { fitWithin } from "./fit-within.ts";

it("shrinks by the longer side, and never enlarges", () => {
  expect(fitWithin({ width: 1280, height: 720 }, 640)).toEqual({ width: 640, height: 360 });
  expect(fitWithin({ width: 300, height: 1200 }, 600)).toEqual({ width: 150, height: 600 });
  expect(fitWithin({ width: 320, height: 240 }, 640)).toEqual({ width: 320, height: 240 });
  expect(fitWithin({ width: 9000, height: 2 }, 640)).toEqual({ width: 640, height: 1 });
});
