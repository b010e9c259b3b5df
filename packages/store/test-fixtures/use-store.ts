import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { openStore, type Store, type StoreLocation } from "../src/index.ts";
import type { ContractDriver } from "./contract-driver.ts";

/** What a law is checked on: a store of its own for each test. */
export interface StoreFixture {
  readonly store: Store;
  readonly location: StoreLocation;
  readonly driver: ContractDriver;
  /** Opens the same store once more, as another process or machine would. */
  openAgain(): Promise<Store>;
}

/** Starts a driver's servers for the tests that follow, and gives each of them a store. */
export function useStore(driver: ContractDriver): StoreFixture {
  const opened: Store[] = [];
  const fixture = {
    driver,
    async openAgain() {
      const store = await openStore(driver.elsewhere(this.location));
      opened.push(store);
      return store;
    },
  } as StoreFixture & { store: Store; location: StoreLocation };
  beforeAll(driver.start);
  afterAll(driver.stop);
  beforeEach(async () => {
    const directory = await mkdtemp(join(tmpdir(), "duchenne-store-"));
    fixture.location = await driver.locate(directory);
    fixture.store = await openStore(fixture.location);
    opened.push(fixture.store);
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    await rm(fixture.location.directory, { recursive: true, force: true });
  });
  return fixture;
}
