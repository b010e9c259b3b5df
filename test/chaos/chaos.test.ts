// The short form of `npm run test:chaos`.
import { contractDrivers } from "@duchenne/store/test-drivers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHECKS } from "./audit.ts";
import { findFaketime } from "./machine-clock.ts";
import { type Inputs, prepareInputs, runChaos, total } from "./run-chaos.ts";

const KILLS = 5;
let inputs: Inputs;
beforeAll(async () => {
  inputs = await prepareInputs();
});
afterAll(() => inputs.dispose());

describe.each(contractDrivers)("$name", (driver) => {
  beforeAll(driver.start);
  afterAll(driver.stop);

  it("loses, doubles and halves nothing while processes are killed, stopped, cut off and out of disk", async () => {
    const { faults, findings, work } = await runChaos(driver, inputs, {
      seed: 1,
      kills: KILLS,
      gapMs: 2_000,
      leaseMs: 3_000,
      limitMs: 60_000,
      settleMs: 120_000,
      trainings: 1,
      faketime: findFaketime(),
      say: () => {},
    });
    expect(findings).toEqual(Object.fromEntries(Object.keys(CHECKS).map((name) => [name, []])));
    // Otherwise there was nothing to break.
    expect(total(faults.kills)).toBe(KILLS);
    expect(work.trainings).toBeGreaterThan(0);
    expect(work.uploads).toBeGreaterThan(0);
    expect(work.versions).toBeGreaterThan(work.trainings);
  }, 240_000);
});
