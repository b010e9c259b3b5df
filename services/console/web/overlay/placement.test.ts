import { expect, it } from "vitest";
import { contains, placeInside } from "./placement.ts";

const box = { left: 10, top: 20, width: 30, height: 40 };

it("fills a frame of the same shape", () => {
  const { scale, rectangle } = placeInside({ width: 320, height: 180 }, { width: 640, height: 360 }, false);
  expect(scale).toBe(2);
  expect(rectangle(box)).toEqual({ left: 20, top: 40, width: 60, height: 80 });
});

it("leaves bars at both sides of a narrower picture, and above and below a wider one", () => {
  const narrow = placeInside({ width: 100, height: 200 }, { width: 400, height: 200 }, false);
  expect(narrow.point(0, 0)).toEqual({ x: 150, y: 0 });
  const wide = placeInside({ width: 400, height: 100 }, { width: 200, height: 200 }, false);
  expect(wide.point(400, 100)).toEqual({ x: 200, y: 125 });
});

it("mirrors places but not sizes", () => {
  const { rectangle, point } = placeInside({ width: 100, height: 100 }, { width: 200, height: 200 }, true);
  expect(rectangle(box)).toEqual({ left: 120, top: 40, width: 60, height: 80 });
  expect(point(0, 0)).toEqual({ x: 200, y: 0 });
});

it("knows what a pointer is on", () => {
  expect(contains(box, 10, 60)).toBe(true);
  expect(contains(box, 41, 30)).toBe(false);
});
