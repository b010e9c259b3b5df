/** Lets work on one thing happen one after the other, in this process. */
export interface Turns {
  /** Does work when the earlier work of the same name has ended, however it ended. */
  take<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** Starts with nothing to wait for. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    async take(name, work) {
      const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
      last.set(name, turn);
      try {
        return await turn;
      } finally {
        if (last.get(name) === turn) last.delete(name);
      }
    },
  };
}
