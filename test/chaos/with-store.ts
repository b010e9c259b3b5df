import { openStore, type Store, type StoreLocation, StoreUnavailableError } from "@duchenne/store";

/**
 * Does something with a store that is open only meanwhile: a database of SQLite is only put in order after a crash by the
 * first process that opens it when nobody else has it open. Undefined when the store is away.
 */
export async function withStore<T>(
  location: StoreLocation,
  work: (store: Store) => Promise<T>,
): Promise<T | undefined> {
  try {
    const store = await openStore(location);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof StoreUnavailableError) return undefined;
    throw error;
  }
}
