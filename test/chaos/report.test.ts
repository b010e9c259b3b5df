import { expect, it } from "vitest";
import { missing } from "./report.ts";

const result = {
  driver: "SQLite and files",
  faults: { kills: { worker: 4, supervisor: 3, server: 2, database: 1 }, others: { zombie: 1, cut: 2 } },
};

it("tells kills that were not made and planned faults that never came up", () => {
  const report = (kills: number, others: Record<string, number>) => ({
    kills,
    drivers: [{ result: { ...result, faults: { ...result.faults, others } } }],
  });
  expect(missing(report(10, { zombie: 1, cut: 2 }))).toEqual([]);
  expect(missing(report(12, { zombie: 1, cut: 0 }))).toEqual([
    "SQLite and files: 2 kills",
    "SQLite and files: any cut",
  ]);
});
