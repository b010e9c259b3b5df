import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { archiveOfFolder, createDuchenneClient, watchJob } from "@duchenne/client";
import { openDataset } from "@duchenne/data";
import { openStore, type StoreLocation } from "@duchenne/store";
import { type NetworkProxy, startProxy } from "@duchenne/store/test-drivers";
import { type ServerProcess, startServer } from "../e2e/server-process.ts";
import { audit, type Findings } from "./audit.ts";
import { type MachinePlan, startFleet } from "./fleet.ts";
import { readHistory, type StoreHistory } from "./history.ts";
import { type FaultCounts, injectFaults } from "./inject-faults.ts";
import { createMachineClock, requireJumps, startClockReader } from "./machine-clock.ts";
import { type ClockOwner, planFaults } from "./plan-faults.ts";
import { probeZombies } from "./probe-zombies.ts";
import type { StartedDriver } from "./start-driver.ts";
import { drawFaces, FACES, startTinyTraining, type TrainingTrace, traceOf } from "./tiny-training.ts";
import { startWorkload, type Workload } from "./workload.ts";

/** What runs are made of: the same for all of them. */
export interface Inputs {
  /** The folder of the data set that is trained on. */
  readonly faces: string;
  /** The same with a file beside it that makes it too large for one message of an upload. */
  readonly uploaded: string;
  /** Where Node keeps what it has compiled. */
  readonly compileCache: string;
  /** A training that nothing happens to. */
  readonly reference: Promise<TrainingTrace>;
  dispose(): Promise<void>;
}

const RECORDING_BYTES = 2.5 * 2 ** 20;

/** Draws the data set, and starts the training that nothing happens to. */
export async function prepareInputs(): Promise<Inputs> {
  const directory = await mkdtemp(join(tmpdir(), "duchenne-chaos-"));
  const faces = join(directory, FACES);
  await drawFaces(faces);
  const uploaded = join(directory, "uploaded");
  await cp(faces, uploaded, { recursive: true });
  await writeFile(join(uploaded, "recording.bin"), Buffer.alloc(RECORDING_BYTES, 0xa5));
  const compileCache = join(directory, "compiled");
  const reference = trainCalmly(join(directory, "calm"), { faces, compileCache });
  // Whoever needs it hears of its failure.
  reference.catch(() => {});
  return {
    faces,
    uploaded,
    compileCache,
    reference,
    async dispose() {
      await reference.catch(() => {});
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function trainCalmly(
  directory: string,
  { faces, compileCache }: Pick<Inputs, "faces" | "compileCache">,
): Promise<TrainingTrace> {
  const args = ["--dataset-roots", dirname(faces)];
  const server = await startServer("trainer", directory, { args, env: { NODE_COMPILE_CACHE: compileCache } });
  try {
    await register(server, faces);
    const client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
    const { name } = await startTinyTraining(client, "calm", "calm");
    for await (const _ of watchJob(client, name));
    client.close();
  } finally {
    await server.end();
  }
  const store = await openStore({ directory });
  const { jobs, versions } = await readHistory(store);
  await store.close();
  if (versions.length !== 1) throw new Error(`Expected the calm training to succeed: ${JSON.stringify(jobs[0]?.job)}`);
  return traceOf(jobs[0]!.events, versions[0]!.artifacts);
}

async function register({ grpcPort }: Pick<ServerProcess, "grpcPort">, faces: string): Promise<void> {
  const client = createDuchenneClient({ address: `127.0.0.1:${grpcPort}` });
  await client.datasets.registerDataset({ datasetId: FACES, directory: faces });
  client.close();
}

/** With a bucket workers have the data set from there: its folder is gone. */
async function registerFaces(grpcPort: number, faces: string, { objects }: StoreLocation): Promise<void> {
  if (objects === undefined) return register({ grpcPort }, faces);
  const folder = `${faces}-once`;
  await cp(faces, folder, { recursive: true });
  await register({ grpcPort }, folder);
  await rm(folder, { recursive: true });
}

/** How a run goes. */
export interface ChaosOptions {
  readonly seed: number;
  readonly kills: number;
  /** The mean time between two kills. */
  readonly gapMs: number;
  /** How long jobs stay a machine's without a sign of it. */
  readonly leaseMs: number;
  /** How long faults go on at most. */
  readonly limitMs: number;
  /** How long zombies, full disks and torn files wait for something to hit. */
  readonly patienceMs: number;
  /** How long all that was begun may take to end when nothing more goes wrong. */
  readonly settleMs: number;
  /** Trainings at once, and syntheses of data sets. */
  readonly trainings: number;
  readonly syntheses: number;
  /** libfaketime's file; undefined: clocks stay right. */
  readonly faketime: string | undefined;
  /** Told of how it goes. */
  readonly say: (line: string) => void;
}

/** What came of a run. */
export interface ChaosResult {
  readonly driver: string;
  readonly faults: FaultCounts;
  readonly findings: Findings;
  /** What there was to find something in. */
  readonly work: {
    readonly jobs: number;
    readonly attempts: number;
    readonly events: number;
    readonly trainings: number;
    readonly versions: number;
    readonly uploads: number;
    readonly resumedUploads: number;
    readonly zombieWritesRefused: number;
  };
  readonly seconds: number;
}

/** Lets clients work on a fleet of real processes while everything goes wrong that is planned, and counts what broke. */
export async function runChaos(
  { driver, databaseClock }: StartedDriver,
  inputs: Inputs,
  options: ChaosOptions,
): Promise<ChaosResult> {
  const { say, patienceMs } = options;
  const beginMs = performance.now();
  const directory = await mkdtemp(join(tmpdir(), "duchenne-chaos-"));
  const location = await driver.locate(join(directory, "store"));
  await mkdir(location.directory, { recursive: true });
  const links = await throughLinks(location);
  const fleet = await startFleet(await machinePlans(links.location, inputs, options));
  const over = new AbortController();
  let workload: Workload | undefined;
  try {
    const [{ link }] = fleet.machines as [(typeof fleet.machines)[number]];
    await registerFaces(link.port, inputs.faces, location);
    const archive = await archiveOfFolder(inputs.uploaded);
    workload = startWorkload({ ...options, machines: fleet.machines, archive });
    const probing = probeZombies(location, over.signal);
    // It is told when all are over.
    probing.catch(() => {});
    const plan = planFaults({
      ...options,
      store: driver.name,
      hasFiles: location.objects === undefined,
      clocks: options.faketime === undefined ? [] : ownersOfClocks(location),
    });
    say(`${driver.name}: ${plan.length} faults within ${seconds(plan.at(-1)?.atMs ?? 0)} s`);
    const { moments } = workload;
    const storeLinks = links.proxies;
    const targets = { fleet, driver, location, storeLinks, databaseClock, moments, patienceMs };
    const faults = await injectFaults(plan, targets, AbortSignal.timeout(options.limitMs));
    say(`${driver.name}: calm after ${seconds(performance.now() - beginMs)} s, with ${total(faults.kills)} kills`);
    const hasSettled = await workload.finish(options.settleMs);
    if (!hasSettled) say(`${driver.name}: not everything ended within ${seconds(options.settleMs)} s of calm`);
    over.abort();
    const probes = await probing;
    await fleet.stop();
    await workload.abandon();
    const store = await openStore(location);
    const history = await readHistory(store).finally(() => store.close());
    const findings = audit({
      store: history,
      clients: workload.log,
      uploaded: (await openDataset(inputs.uploaded)).digest,
      reference: await inputs.reference,
      zombieWrites: probes.accepted,
      crashes: fleet.crashes,
    });
    const { uploads, resumedUploads } = workload.log;
    const work = {
      ...workOf(history),
      uploads: uploads.size,
      resumedUploads: resumedUploads.size,
      zombieWritesRefused: probes.refused,
    };
    return { driver: driver.name, faults, findings, work, seconds: (performance.now() - beginMs) / 1_000 };
  } finally {
    over.abort();
    await workload?.abandon();
    await fleet.stop();
    await links.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

const seconds = (ms: number) => (ms / 1_000).toFixed(0);

/** All kills, whatever was killed. */
export function total(kills: FaultCounts["kills"]): number {
  return Object.values(kills).reduce((sum, count) => sum + count, 0);
}

function workOf({ jobs, versions }: StoreHistory) {
  return {
    jobs: jobs.length,
    attempts: jobs.reduce((sum, { job }) => sum + job.attempt, 0),
    events: jobs.reduce((sum, { events }) => sum + events.length, 0),
    trainings: jobs.filter(({ job }) => job.kind === "fine_tune" && job.state === "SUCCEEDED").length,
    versions: versions.length,
  };
}

function ownersOfClocks({ database }: StoreLocation): readonly ClockOwner[] {
  return database === undefined ? ["the only machine"] : ["a trainer", "the server", "the database"];
}

/** Two trainers and a server that runs nothing. They share what the store's location says, and nothing else. */
async function machinePlans(
  location: StoreLocation,
  { faces, compileCache }: Inputs,
  { faketime, leaseMs }: ChaosOptions,
): Promise<readonly MachinePlan[]> {
  const { directory, database, objects } = location;
  const isShared = database === undefined || objects === undefined;
  const clockOf = async (name: string) => {
    if (faketime === undefined) return undefined;
    const clock = createMachineClock(faketime, `${directory}-clock-of-${name}`);
    const reader = startClockReader(clock);
    await requireJumps(clock, reader.timeMs).finally(reader.stop);
    return clock;
  };
  // Processes that share a folder are on one machine, with one clock.
  const sharedClock = isShared ? await clockOf("all") : undefined;
  const store = isShared ? [] : ["--database", database, "--objects", objects];
  const trainer = ["--max-attempts", "100", "--dataset-roots", dirname(faces)];
  const machines = [
    { name: "trainer-1", process: "trainer", args: trainer },
    { name: "trainer-2", process: "trainer", args: trainer },
    { name: "server", process: "evaluator", args: [] },
  ] as const;
  const plans: MachinePlan[] = [];
  for (const { name, process, args } of machines) {
    plans.push({
      name,
      process,
      directory: isShared ? directory : join(directory, name),
      args: [...args, ...store, "--lease-ms", String(leaseMs), "--shutdown-grace-ms", "5000", "--log-level", "warn"],
      compileCache,
      clock: sharedClock ?? (await clockOf(name)),
    });
  }
  return plans;
}

/** The same store, its servers reached through proxies. */
async function throughLinks(location: StoreLocation) {
  const proxies: NetworkProxy[] = [];
  const through = async (url: URL): Promise<string> => {
    const proxy = await startProxy(Number(url.port));
    proxies.push(proxy);
    url.port = String(proxy.port);
    return url.href;
  };
  let { database, objects } = location;
  if (database !== undefined) database = await through(new URL(database));
  if (objects !== undefined) {
    const address = new URL(objects);
    const endpoint = await through(new URL(address.searchParams.get("endpoint")!));
    address.searchParams.set("endpoint", endpoint.replace(/\/$/, ""));
    objects = address.href;
  }
  return {
    location: { ...location, database, objects },
    proxies,
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
    },
  };
}
