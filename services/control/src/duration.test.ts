import { create, toBinary } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { exactDuration, exactDurationMs } from "./duration.ts";

it("a duration below a millisecond is not nothing", () => {
  expect(exactDurationMs(create(DurationSchema, { nanos: 400_000 }))).toBe(0.4);
  expect(exactDurationMs(create(DurationSchema, { seconds: 2n, nanos: 1 }))).toBeCloseTo(2000.000001, 9);
});

it.each([0, 0.4, 0.0001234, 1, 999.9999999, 1234.5678, -0.5, -1500.25, 3e11])(
  "%d ms can be sent, and come back",
  (ms) => {
    const duration = exactDuration(ms);
    toBinary(DurationSchema, duration);
    expect(Math.abs(duration.nanos)).toBeLessThan(1e9);
    expect(exactDurationMs(duration)).toBeCloseTo(ms, 4);
  },
);
