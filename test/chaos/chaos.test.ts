// The short form of `npm run test:chaos`.
import { contractDrivers } from "@duchenne/store/test-drivers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHECKS } from "./audit.ts";
import { findFaketime } from "./machine-clock.ts";
import { type Inputs, prepareInputs, runChaos, total } from "./run-chaos.ts";
import { type StartedDriver, startDriver } from "./start-driver.ts";

const KILLS = 4;
const faketime = findFaketime();
const clocks = faketime === undefined ? "(no clock jumps: libfaketime is not installed)" : "and while clocks jump";
let inputs: Inputs;
beforeAll(async () => {
  inputs = await prepareInputs();
});
afterAll(() => inputs.dispose());

describe.each(contractDrivers)("$name", (driver) => {
  let started: StartedDriver;
  beforeAll(async () => {
    started = await startDriver(driver, faketime);
  });
  afterAll(() => started.stop());

  it(`loses, doubles and halves nothing while processes are killed, stopped, cut off and out of disk ${clocks}`, async () => {
    // Limits are for processes that hang: no load may reach them.
    const { faults, findings, work } = await runChaos(started, inputs, {
      seed: 1,
      kills: KILLS,
      gapMs: 1_500,
      leaseMs: 3_000,
      limitMs: 600_000,
      patienceMs: 10_000,
      settleMs: 1_200_000,
      trainings: 1,
      syntheses: 1,
      faketime,
      say: () => {},
    });
    expect(findings).toEqual(Object.fromEntries(Object.keys(CHECKS).map((name) => [name, []])));
    // Otherwise there was nothing to break.
    expect(total(faults.kills)).toBe(KILLS);
    expect(work.trainings).toBeGreaterThan(0);
    expect(work.uploads).toBeGreaterThan(0);
    expect(work.versions).toBeGreaterThan(work.trainings);
    const sure = Object.entries(faults.others).filter(([name]) => /^(clock of|cut)/.test(name));
    for (const [name, count] of sure) expect(count, name).toBeGreaterThan(0);
  }, 2_400_000);
});
