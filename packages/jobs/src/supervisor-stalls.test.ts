import { contractDrivers } from "@duchenne/store/test-servers";
import { describe, expect, it } from "vitest";
import { metrics, states, useSupervisors } from "../test-fixtures/use-supervisors.ts";

describe("a supervisor whose attempt hangs", () => {
  const { fixture, supervise, create, until, ended, eventsOf } = useSupervisors(contractDrivers[0]!);
  // On a busy machine, an attempt that is well may be ended, too.
  const stallMs = 5_000;
  const patient = { maxFailures: 50 };

  it.each([
    { how: "was stopped", spec: { haltAt: 3 } },
    { how: "blocks its thread for ever", spec: { blockAt: 3 } },
  ])("ends one that $how, tells so, and tries again from its checkpoint", async ({ spec }) => {
    supervise({ stallMs });
    const id = await create({ steps: 5, ...spec }, patient);
    const job = await ended(id);
    expect(job).toMatchObject({ state: "SUCCEEDED", result: { step: 5 } });
    expect(job.failures).toBeGreaterThan(0);
    const events = await eventsOf(id);
    expect(metrics(events)).toEqual([1, 2, 3, 4, 5]);
    expect(states(events).slice(0, 4)).toEqual(["QUEUED", "RUNNING", "RETRY_WAIT", "RUNNING"]);
    const failure = events.find((event) => event.kind === "state" && event.state === "RETRY_WAIT");
    expect(failure).toMatchObject({
      attempt: 1,
      error: { reason: "ATTEMPT_STALLED", message: expect.stringContaining("no sign of life for 5000 ms") },
    });
  });

  it("lets one go on that tells nothing for longer while its thread is free", async () => {
    supervise({ stallMs });
    const id = await create({ steps: 2, stepMs: 1.5 * stallMs }, patient);
    const { attempt } = await until(id, ({ checkpoint }) => checkpoint !== undefined);
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", attempt });
  });

  it("ends one that was to stop as it was asked to, when that takes less time", async () => {
    supervise({ stallMs: 3_600_000, stopGraceMs: 100 });
    const id = await create({ steps: 5, blockAt: 3 });
    await until(id, ({ checkpoint }) => checkpoint?.step === 2);
    await fixture.store.jobs.requestCancel(id);
    expect(await ended(id)).toMatchObject({ state: "CANCELLED", failures: 0 });
  });
});
