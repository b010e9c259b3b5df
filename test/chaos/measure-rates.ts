import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDuchenneClient } from "@duchenne/client";
import { type JobEventBody, openStore, type Store } from "@duchenne/store";
import type { ContractDriver } from "@duchenne/store/test-drivers";
import { startServer } from "../e2e/server-process.ts";

/** What a store does when nothing goes wrong. */
export interface Rates {
  readonly claimsPerSecond: number;
  readonly heartbeatsPerSecond: number;
  /** One a transaction. */
  readonly eventsPerSecond: number;
  /** Fifty a transaction, as a supervisor stores what came meanwhile. */
  readonly batchedEventsPerSecond: number;
  /** From before an event is stored to when a client of another process has it, over gRPC. */
  readonly watchMs: { readonly median: number; readonly p99: number };
}

const KIND = "measured";
/** Connections that write at once. */
const WRITERS = 2;
const BATCH = 50;
const LEASE_MS = 600_000;
const event = (text: string): JobEventBody => ({ kind: "log", level: "info", text });

/** How much is measured. */
export interface RateOptions {
  readonly secondsEach: number;
  readonly jobs: number;
  readonly watchedEvents: number;
}

/** Measures a driver on a store of its own. The driver's servers run. */
export async function measureRates(
  driver: ContractDriver,
  { secondsEach, jobs: count, watchedEvents }: RateOptions,
): Promise<Rates> {
  const directory = await mkdtemp(join(tmpdir(), "duchenne-rates-"));
  const location = await driver.locate(join(directory, "store"));
  const stores: Store[] = [];
  for (let i = 0; i < WRITERS; i++) stores.push(await openStore(location));
  const [{ jobs }] = stores as [Store];
  try {
    for (let i = 0; i < count; i++) await jobs.create({ kind: KIND, spec: {} });
    const claimed: string[] = [];
    const beginMs = performance.now();
    const claimAll = async (store: Store, i: number) => {
      for (;;) {
        const job = await store.jobs.claim({ kinds: [KIND], owner: `writer ${i}`, leaseMs: LEASE_MS });
        if (job === undefined) return;
        claimed.push(job.id);
      }
    };
    await Promise.all(stores.map(claimAll));
    const claimsPerSecond = (1_000 * claimed.length) / (performance.now() - beginMs);
    // Writers have jobs of their own, as supervisors have.
    const jobOf = (writer: number, i: number) => claimed[(i * WRITERS + writer) % claimed.length]!;
    const heartbeatsPerSecond = await perSecond(stores, secondsEach, async (store, writer, i) => {
      await store.jobs.heartbeat(jobOf(writer, i), 1, LEASE_MS);
    });
    const stored = new Map<string, number>();
    const append = async (store: Store, id: string, events: readonly JobEventBody[]) => {
      const before = stored.get(id) ?? 0;
      await store.jobs.append(id, 1, events, before);
      stored.set(id, before + events.length);
    };
    const eventsPerSecond = await perSecond(stores, secondsEach, (store, writer, i) =>
      append(store, jobOf(writer, i), [event(`${i}`)]),
    );
    const batches = await perSecond(stores, secondsEach, (store, writer, i) =>
      append(store, jobOf(writer, i), Array(BATCH).fill(event(`${i}`))),
    );
    const server = await startServer("evaluator", join(directory, "server"), { args: placeOf(location) });
    try {
      const watched = (await jobs.create({ kind: KIND, spec: {} })).job.id;
      await jobs.claim({ kinds: [KIND], owner: "writer", leaseMs: LEASE_MS });
      const watchMs = await measureWatch(jobs, watched, { port: server.grpcPort, events: watchedEvents });
      return {
        claimsPerSecond,
        heartbeatsPerSecond,
        eventsPerSecond,
        batchedEventsPerSecond: BATCH * batches,
        watchMs,
      };
    } finally {
      await server.end();
    }
  } finally {
    for (const store of stores) await store.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function placeOf({ directory, database, objects }: Awaited<ReturnType<ContractDriver["locate"]>>): readonly string[] {
  if (database === undefined || objects === undefined) return ["--data", directory];
  return ["--database", database, "--objects", objects];
}

/** How often work is done in a second, by all writers together. */
async function perSecond(
  stores: readonly Store[],
  seconds: number,
  work: (store: Store, writer: number, i: number) => Promise<void>,
): Promise<number> {
  const beginMs = performance.now();
  const untilMs = beginMs + 1_000 * seconds;
  const done = await Promise.all(
    stores.map(async (store, writer) => {
      let i = 0;
      for (; performance.now() < untilMs; i++) await work(store, writer, i);
      return i;
    }),
  );
  return (1_000 * done.reduce((sum, each) => sum + each)) / (performance.now() - beginMs);
}

async function measureWatch(
  jobs: Store["jobs"],
  id: string,
  { port, events }: { readonly port: number; readonly events: number },
): Promise<Rates["watchMs"]> {
  const client = createDuchenneClient({ address: `127.0.0.1:${port}` });
  const storedAtMs: number[] = [];
  const latencies: number[] = [];
  try {
    const watching = (async () => {
      for await (const { event } of client.jobs.watchJob({ name: `jobs/${id}`, afterEvent: 0n })) {
        if (event?.event.case === "log")
          latencies.push(performance.now() - storedAtMs[Number(event.event.value.text)]!);
      }
    })();
    for (let i = 0; i < events; i++) {
      // At no moment that a poll of the store prefers.
      await sleep(20 + ((i * 37) % 61));
      storedAtMs.push(performance.now());
      await jobs.append(id, 1, [event(`${i}`)], i);
    }
    await jobs.finish(id, 1, { state: "SUCCEEDED", result: {} });
    await watching;
  } finally {
    client.close();
  }
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { median: at(0.5), p99: at(0.99) };
}
