import { describe, expect, it } from "vitest";
import { type Fault, faultNames, type PlanOptions, planFaults } from "./plan-faults.ts";

const options: PlanOptions = {
  seed: 1,
  store: "a store",
  kills: 100,
  gapMs: 1_000,
  leaseMs: 6_000,
  hasFiles: true,
  clocks: ["a trainer", "the server", "the database"],
};

function countBy(faults: readonly Fault[], key: (fault: Fault) => string | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const fault of faults) {
    const name = key(fault);
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
const kinds = (faults: readonly Fault[]) => countBy(faults, ({ kind }) => kind);
const victims = (faults: readonly Fault[]) => countBy(faults, (it) => (it.kind === "kill" ? it.victim : undefined));

describe("a plan of faults", () => {
  it("is a function of the seed and the store", () => {
    expect(planFaults(options)).toEqual(planFaults(options));
    expect(planFaults({ ...options, seed: 2 })).not.toEqual(planFaults(options));
    expect(planFaults({ ...options, store: "another" })).not.toEqual(planFaults(options));
  });

  it("has as many kills as asked for, of each victim its share, and of every other fault some", () => {
    const plan = planFaults(options);
    expect(victims(plan)).toEqual({ worker: 40, supervisor: 25, server: 20, database: 15 });
    expect(kinds(plan)).toEqual({
      kill: 100,
      zombie: 12,
      cut: 50,
      "cut in mid-upload": 20,
      "cut in mid-watch": 20,
      "full disk": 10,
      "torn blob": 10,
      "torn checkpoint": 4,
      "unfinished write": 10,
      "clock jump": 20,
    });
    const few = planFaults({ ...options, kills: 3 });
    expect(victims(few)).toEqual({ worker: 1, server: 1, database: 1 });
    for (const [kind, count] of Object.entries(kinds(few))) expect(count, kind).toBeGreaterThan(0);
    expect(Object.keys(kinds(few))).toHaveLength(10);
  });

  it("sets each clock ahead and behind, by seconds and by hours", () => {
    const names = ["a trainer", "the database", "the server"].flatMap((owner) => [
      `clock of ${owner} ahead`,
      `clock of ${owner} behind`,
    ]);
    for (const kills of [3, 100]) {
      expect(faultNames(planFaults({ ...options, kills })).filter((name) => name.startsWith("clock"))).toEqual(names);
    }
    const jumps = planFaults(options).flatMap((it) => (it.kind === "clock jump" ? Math.abs(it.offsetMs) : []));
    expect(Math.min(...jumps)).toBeLessThan(60_000);
    expect(Math.max(...jumps)).toBeGreaterThan(3_600_000);
  });

  it("leaves out what a store or a machine does not have", () => {
    const plan = planFaults({ ...options, hasFiles: false, clocks: [] });
    expect(victims(plan)).toEqual(victims(planFaults(options)));
    expect(Object.keys(kinds(plan))).not.toContain("unfinished write");
    expect(Object.keys(kinds(plan))).not.toContain("clock jump");
  });

  it("is in order, takes the time that it was given, and stops zombies for longer than a lease", () => {
    const plan = planFaults(options);
    const times = plan.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThan(80_000);
    expect(times.at(-1)).toBeLessThan(120_000);
    for (const fault of plan) if (fault.kind === "zombie") expect(fault.forMs).toBeGreaterThan(options.leaseMs);
    for (const { pick } of plan) expect(pick >= 0 && pick < 1).toBe(true);
  });
});
