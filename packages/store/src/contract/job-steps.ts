import type { StoreFixture } from "../../test-fixtures/index.ts";
import type { JobEvent, JobEventBody, NewJob, Store } from "../index.ts";

/** Steps that the laws of jobs are made of, all with jobs of one kind. */
export function jobSteps(fixture: StoreFixture) {
  const create = async (options: Partial<NewJob> = {}, store: Store = fixture.store) => {
    const { job } = await store.jobs.create({ kind: "fine_tune", spec: { epochs: 1 }, ...options });
    // Jobs of the same millisecond have no order; the laws are about those that do.
    while (Date.now() <= job.createTimeMs);
    return job;
  };
  const claim = (owner = "a", leaseMs = 30_000, free: Record<string, number> = {}, store: Store = fixture.store) =>
    store.jobs.claim({ kinds: ["fine_tune"], owner, leaseMs, free });
  const events = (id: string, after = 0) => fixture.store.jobs.events(id, { after, limit: 10_000 });
  const states = async (id: string) => statesOf(await events(id));
  return { create, claim, events, states };
}

/** The states that events tell of. */
export function statesOf(events: readonly JobEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === "state" ? event.state : []));
}

/** A line of a log. */
export const log = (text: string): JobEventBody => ({ kind: "log", level: "info", text });

/** How an attempt that was replaced is refused. */
export const stale = { code: "aborted", reason: "STALE_ATTEMPT" };

/** An error that an attempt fails with. */
export const broken = { code: "internal", reason: "BROKEN", message: "It broke" };
