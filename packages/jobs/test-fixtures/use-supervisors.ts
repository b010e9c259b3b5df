import { fork } from "node:child_process";
import { createLogger } from "@duchenne/rpc";
import {
  hasEnded,
  type JobEvent,
  type JobRecord,
  type JsonObject,
  type NewJob,
  type Store,
  StoreUnavailableError,
} from "@duchenne/store";
import { type ContractDriver, type StoreFixture, useStore } from "@duchenne/store/test-servers";
import { afterEach } from "vitest";
import { createSupervisor, type Supervisor, type SupervisorOptions } from "../src/index.ts";

/** A store for each test, and supervisors that are closed before it. */
export function useSupervisors(driver: ContractDriver) {
  const fixture = useStore(driver);
  const supervisors: Supervisor[] = [];
  // Before the fixture closes the store.
  afterEach(async () => {
    for (const supervisor of supervisors.splice(0)) await supervisor.close();
  });

  function supervise(options: Partial<SupervisorOptions> = {}): Supervisor {
    const supervisor = createSupervisor({
      store: fixture.store,
      location: fixture.location,
      kinds: { count: { attemptModule: new URL("./attempt.ts", import.meta.url), slot: "cpu" } },
      slots: { cpu: 1 },
      logger: createLogger({ name: "test", level: "silent" }),
      ...options,
    });
    supervisors.push(supervisor);
    return supervisor;
  }

  /** A supervisor in a process of its own. */
  const startServer = () => fork(new URL("./server.ts", import.meta.url), [JSON.stringify(fixture.location)]);
  const create = async (spec: JsonObject, options: Partial<NewJob> = {}) =>
    (await fixture.store.jobs.create({ kind: "count", spec, maxFailures: 3, ...options })).job.id;
  const until = (id: string, wanted: (job: JobRecord) => boolean) => jobThatIs(fixture, id, wanted);
  const ended = (id: string) => until(id, ({ state }) => hasEnded(state));
  const eventsOf = (id: string) => fixture.store.jobs.events(id, { after: 0, limit: 10_000 });
  return { fixture, supervise, startServer, create, until, ended, eventsOf };
}

/** Waits until the job is as wanted. */
async function jobThatIs({ store }: StoreFixture, id: string, wanted: (job: JobRecord) => boolean): Promise<JobRecord> {
  for await (const _ of store.changes(AbortSignal.timeout(60_000))) {
    const job = await store.jobs.get(id);
    if (wanted(job)) return job;
  }
  throw new Error(`The job stayed ${JSON.stringify(await store.jobs.get(id))}`);
}

/** The store, whose jobs can be away: each call fails then, as over a connection that was cut. */
export function storeThatCanBeAway(store: Store) {
  let onFailure: ((call: string) => void) | undefined;
  /** What came through. */
  const calls: string[] = [];
  const through = Object.entries(store.jobs).map(([name, call]: [string, (...args: never[]) => Promise<unknown>]) => [
    name,
    async (...args: never[]) => {
      if (onFailure !== undefined) {
        onFailure(name);
        throw new StoreUnavailableError("away");
      }
      calls.push(name);
      return call(...args);
    },
  ]);
  return {
    store: { ...store, jobs: Object.fromEntries(through) as Store["jobs"] },
    calls,
    /** @param failing is told of each call that fails */
    start(failing: (call: string) => void) {
      onFailure = failing;
    },
    end() {
      onFailure = undefined;
    },
  };
}

/** The steps that were measured, in order. */
export function metrics(events: readonly JobEvent[]): readonly number[] {
  return events.flatMap((event) => (event.kind === "metrics" ? event.step : []));
}

/** The states that a job entered, in order. */
export function states(events: readonly JobEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === "state" ? event.state : []));
}
