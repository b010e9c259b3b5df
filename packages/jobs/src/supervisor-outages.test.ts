import { hasEnded, type JobRecord } from "@duchenne/store";
import { connectedDrivers, contractDrivers, persistently } from "@duchenne/store/test-servers";
import { describe, expect, it } from "vitest";
import { metrics, states, storeThatCanBeAway, useSupervisors } from "../test-fixtures/use-supervisors.ts";

describe.each(connectedDrivers)("a supervisor whose connections are cut, with $name", (driver) => {
  const { fixture, supervise, create, until, ended, eventsOf } = useSupervisors(driver);

  it("goes on, and stores every event once", async () => {
    supervise();
    const id = await create({ steps: 150, stepMs: 20 });
    const seen: string[] = [];
    for (const step of [5, 40, 75]) {
      // One that has ended has no checkpoint any more.
      const goneOn = ({ state, checkpoint }: JobRecord) => hasEnded(state) || (checkpoint?.step ?? 0) > step;
      seen.push((await persistently(() => until(id, goneOn))).state);
      await driver.cutConnections(fixture.location);
    }
    expect(seen[0]).toBe("RUNNING");
    const job = await persistently(() => ended(id));
    expect(job).toMatchObject({ state: "SUCCEEDED", attempt: 1, failures: 0 });
    const events = await persistently(() => eventsOf(id));
    expect(metrics(events)).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
    expect(states(events)).toEqual(["QUEUED", "RUNNING", "SUCCEEDED"]);
  });
});

describe("a supervisor whose store was away", () => {
  const { fixture, supervise, create, until, ended, eventsOf } = useSupervisors(contractDrivers[0]!);

  it("does not start a job again that it still runs, when its lease ran out while the store was away", async () => {
    supervise({ leaseMs: 20, heartbeatMs: 3_600_000, slots: { cpu: 4 } });
    const id = await create({ steps: 80, stepMs: 10 });
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", attempt: 1, failures: 0 });
    const events = await eventsOf(id);
    expect(metrics(events)).toEqual(Array.from({ length: 80 }, (_, i) => i + 1));
    expect(states(events)).toEqual(["QUEUED", "RUNNING", "SUCCEEDED"]);
  });

  it("extends its leases before it takes more jobs when the store was away", async () => {
    const away = storeThatCanBeAway(fixture.store);
    // The round that finds the store again comes before the next heartbeat, and before the lease is as old as one.
    supervise({ store: away.store, heartbeatMs: 2_000, slots: { cpu: 4 } });
    const id = await create({ steps: 100_000, stepMs: 20 });
    await until(id, ({ checkpoint }) => checkpoint !== undefined);
    const back = Promise.withResolvers<void>();
    away.start((call) => {
      if (call !== "heartbeat") return;
      away.calls.length = 0;
      away.end();
      back.resolve();
    });
    await back.promise;
    await until(id, () => away.calls.includes("claim"));
    expect(away.calls.slice(0, away.calls.indexOf("claim"))).toContain("heartbeat");
  });

  it("extends every lease while that of another job hangs, and never the same one twice at once", async () => {
    const hangs = Promise.withResolvers<void>();
    const enough = Promise.withResolvers<void>();
    const beats = new Map<string, number>();
    const ids = [await create({ steps: 100_000, stepMs: 20 }), await create({ steps: 100_000, stepMs: 20 })];
    const { jobs } = fixture.store;
    const heartbeat: typeof jobs.heartbeat = async (id, ...rest) => {
      const count = (beats.get(id) ?? 0) + 1;
      beats.set(id, count);
      if (id === ids[0]) await hangs.promise;
      else if (count === 5) enough.resolve();
      return jobs.heartbeat(id, ...rest);
    };
    supervise({ store: { ...fixture.store, jobs: { ...jobs, heartbeat } }, heartbeatMs: 50, slots: { cpu: 2 } });
    await enough.promise;
    expect(beats.get(ids[0]!)).toBe(1);
    hangs.resolve();
  });

  it("stores what its jobs report when it is closed while the store is away, as long as the grace lasts", async () => {
    const away = storeThatCanBeAway(fixture.store);
    const first = supervise({ store: away.store });
    const id = await create({ steps: 60, stepMs: 10 });
    await until(id, ({ checkpoint }) => checkpoint !== undefined);
    let failures = 0;
    away.start(() => {
      if (++failures === 4) away.end();
    });
    await first.close({ graceMs: 60_000 });
    expect(await fixture.store.jobs.owners()).toEqual([]);
    supervise();
    expect(await ended(id)).toMatchObject({ state: "SUCCEEDED", attempt: 2, failures: 0 });
    expect(metrics(await eventsOf(id))).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  });
});
