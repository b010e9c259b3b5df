/** What a machine has for jobs, such as { gpu: 1, memory_gib: 64 }, shared by the supervisors of a process. */
export interface ResourcePool {
  /**
   * Lets somebody choose by what is free. Choices are made one after the other, so nothing is taken twice.
   *
   * @param choose may call `take` with amounts that are free; what it answers gives them back
   */
  choose<T>(choose: (free: Resources, take: (amounts: Resources) => () => void) => Promise<T>): Promise<T>;
}

/** Amounts by name. */
export type Resources = Readonly<Record<string, number>>;

/** A pool of whole amounts. */
export function createResourcePool(total: Resources): ResourcePool {
  const free: Record<string, number> = { ...total };
  const add = (amounts: Resources, sign: 1 | -1) => {
    for (const [name, amount] of Object.entries(amounts)) free[name] = (free[name] ?? 0) + sign * amount;
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    choose(choose) {
      const chosen = last.then(() =>
        choose({ ...free }, (amounts) => {
          add(amounts, -1);
          return () => add(amounts, 1);
        }),
      );
      last = chosen.catch(() => {});
      return chosen;
    },
  };
}
