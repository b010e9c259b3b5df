import { VISIBLE_GPUS, visibleGpus } from "./visible-gpus.ts";

/** What a machine has for jobs, such as { gpu: 1, memory_gib: 64 }, shared by the supervisors of a process. */
export interface ResourcePool {
  /**
   * Lets somebody choose by what is free. Choices are made one after the other, so nothing is taken twice.
   *
   * @param choose may call `take` with amounts that are free
   */
  choose<T>(choose: (free: Resources, take: (amounts: Resources) => TakenResources) => Promise<T>): Promise<T>;
}

/** Amounts by name. */
export type Resources = Readonly<Record<string, number>>;

/** What somebody has of a machine. */
export interface TakenResources {
  /** What the process that uses it has in its environment, beside what this one has. */
  readonly environment: Readonly<Record<string, string>>;
  /** To be called once, when that process is gone. */
  giveBack(): void;
}

/**
 * A pool of whole amounts. Which GPUs somebody has taken, nobody else sees; where there are none to take, everybody sees
 * what this process does.
 *
 * @param gpus the names of the GPUs, as many as there are
 * @throws {TooFewGpusError} when this process does not see as many
 */
export function createResourcePool(total: Resources, gpus = visibleGpus(total.gpu ?? 0)): ResourcePool {
  const free: Record<string, number> = { ...total };
  let freeGpus = gpus;
  const add = (amounts: Resources, sign: 1 | -1) => {
    for (const [name, amount] of Object.entries(amounts)) free[name] = (free[name] ?? 0) + sign * amount;
  };
  const take = (amounts: Resources): TakenResources => {
    add(amounts, -1);
    const taken = freeGpus.slice(0, amounts.gpu ?? 0);
    freeGpus = freeGpus.slice(taken.length);
    return {
      environment: gpus.length === 0 ? {} : { [VISIBLE_GPUS]: taken.join(",") },
      giveBack() {
        add(amounts, 1);
        freeGpus = gpus.filter((gpu) => freeGpus.includes(gpu) || taken.includes(gpu));
      },
    };
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    choose(choose) {
      const chosen = last.then(() => choose({ ...free }, take));
      last = chosen.catch(() => {});
      return chosen;
    },
  };
}
