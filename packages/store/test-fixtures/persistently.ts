import { expect } from "vitest";
import { StoreUnavailableError } from "../src/index.ts";

/** Does something again and again, as callers do, until the store can be reached; nothing else may go wrong. */
export async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      expect(error).toBeInstanceOf(StoreUnavailableError);
    }
  }
}
