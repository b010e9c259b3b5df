import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContractDriver } from "@duchenne/store/test-drivers";
import { createMachineClock, type MachineClock, removeLeftovers, requireJumps } from "./machine-clock.ts";

/** A way of keeping a store whose servers run. */
export interface StartedDriver {
  readonly driver: ContractDriver;
  /** Of the database's server; undefined where there is none, and where clocks stay right. */
  readonly databaseClock: MachineClock | undefined;
  stop(): Promise<void>;
}

/** Starts a driver's servers, the database's with a clock that can jump. @param faketime libfaketime's file */
export async function startDriver(plain: ContractDriver, faketime: string | undefined): Promise<StartedDriver> {
  if (faketime === undefined || plain.withServerEnvironment === undefined) {
    await plain.start();
    const stop = async () => {
      await plain.stop();
      if (faketime !== undefined) removeLeftovers();
    };
    return { driver: plain, databaseClock: undefined, stop };
  }
  const folder = await mkdtemp(join(tmpdir(), "duchenne-clock-"));
  // The server is another user.
  await chmod(folder, 0o755);
  const databaseClock = createMachineClock(faketime, join(folder, "database"));
  const driver = plain.withServerEnvironment(databaseClock.env);
  const stop = async () => {
    await driver.stop();
    removeLeftovers();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await driver.start();
    const location = await driver.locate(folder);
    await requireJumps(databaseClock, async () => {
      const [row] = await driver.execute(location, { sqlite: "", postgres: TIME });
      return Number(row?.ms);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { driver, databaseClock, stop };
}

const TIME = "select extract(epoch from clock_timestamp()) * 1000 as ms";
