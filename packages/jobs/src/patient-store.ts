import { type Blobs, type Store, StoreUnavailableError } from "@duchenne/store";
import { whileUnavailable } from "./while-unavailable.ts";

/**
 * A store whose calls are made again while it cannot be reached, until the signal aborts: then they throw its reason. What
 * is stored twice, because nobody knew whether it was, is stored once. Of jobs only what reads one: the rest is their
 * supervisor's.
 */
export function patientStore(store: Store, signal: AbortSignal): Store {
  const patient = <T extends object>(calls: T): T => patiently(calls, signal);
  const { checkpoints, jobs } = store;
  return {
    ...store,
    jobs: { ...jobs, ...patient({ get: jobs.get, children: jobs.children }) },
    blobs: patient(store.blobs),
    checkpoints: { ...patient(checkpoints), of: (job): Blobs => patient(checkpoints.of(job)) },
    models: patient(store.models),
    datasets: patient(store.datasets),
    ...(store.folders && { folders: patient(store.folders) }),
    evaluations: patient(store.evaluations),
    crossValidations: patient(store.crossValidations),
  };
}

/** The same calls, those that answer a promise made again; those that yield are left as they are. */
function patiently<T extends object>(calls: T, signal: AbortSignal): T {
  const patient = Object.entries(calls).map(([name, call]: [string, (...args: unknown[]) => unknown]) => {
    const again = (...args: unknown[]): unknown => {
      const first = call.apply(calls, args);
      if (!(first instanceof Promise)) return first;
      let answer: unknown = first;
      const next = async () => {
        const made = answer ?? call.apply(calls, args);
        answer = undefined;
        return made;
      };
      return whileUnavailable(next, signal).catch((error: unknown) => {
        throw signal.aborted && error instanceof StoreUnavailableError ? signal.reason : error;
      });
    };
    return [name, again];
  });
  return Object.fromEntries(patient) as T;
}
