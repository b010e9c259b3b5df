import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  createDuchenneClient,
  type DatasetArchive,
  type DuchenneClient,
  importModel,
  uploadDataset,
  watchJob,
} from "@duchenne/client";
import { createRandom } from "@duchenne/data";
import { DatasetProtocol, type Job } from "@duchenne/proto";
import { askAgain, noteSurprise } from "./ask-again.ts";
import { type ClientLog, createClientLog, seenByClient } from "./client-log.ts";
import type { Machine } from "./fleet.ts";
import { createMoments, type Moments } from "./moments.ts";
import { startTinyTraining } from "./tiny-training.ts";

/** What clients do. */
export interface WorkloadOptions {
  readonly seed: number;
  readonly machines: readonly Machine[];
  /** Sent again and again, each time as another data set. */
  readonly archive: DatasetArchive;
  /** Trainings that are wanted at once. */
  readonly trainings: number;
  /** Data sets that are wanted to be synthesized at once. */
  readonly syntheses: number;
  /** A creation is waited for as long before it is asked again: less than a machine is stopped for. */
  readonly leaseMs: number;
}

/** Clients at work. */
export interface Workload {
  readonly log: ClientLog;
  /** When one of them is in the middle of something. */
  readonly moments: Moments;
  /** Has what was begun ended; what has not ended in time is given up. Answers whether all had. */
  finish(withinMs: number): Promise<boolean>;
  /** Ends everything at once. */
  abandon(): Promise<void>;
}

/** A file of weights whose import publishes a version, always of the same bytes. */
const WEIGHTS = fileURLToPath(new URL("../reference/fixtures/weights/detector-bf16.pth", import.meta.url));
/** The model that imports add versions to. */
export const IMPORTED = "imported";
/** Longer than anything here is away. */
const PATIENCE_MS = 3_600_000;
/** Between two imports, and between two uploads. */
const PAUSE_MS = 1_000;

/** Starts clients that create jobs, watch them, upload data sets and import models, until they are told to finish. */
export function startWorkload({ seed, machines, archive, trainings, syntheses, leaseMs }: WorkloadOptions): Workload {
  const log = createClientLog();
  const clients = machines.map(({ process, link }) => ({
    process,
    link,
    client: createDuchenneClient({ address: `127.0.0.1:${link.port}` }),
  }));
  const all = clients.map(({ client }) => client);
  const trainers = clients.filter(({ process }) => process === "trainer");
  const moments = createMoments();
  const random = createRandom([seed, "workload"]);
  const oneOf = <T>(list: readonly T[]): T => list[random.integer(list.length)]!;
  const ending = new AbortController();
  const givenUp = new AbortController();
  const { signal } = givenUp;

  /** Asks one machine or several at once, again and again, always with the same request id. */
  async function create(requestId: string, ask: (client: DuchenneClient, requestId: string) => Promise<Job>) {
    const names = new Set<string>();
    log.requests.set(requestId, names);
    return askAgain(
      async () => {
        const asked = random.uniform() < 0.3 ? trainers : [oneOf(trainers)];
        const answers = await Promise.allSettled(asked.map(({ client }) => ask(client, requestId)));
        for (const answer of answers) if (answer.status === "fulfilled") names.add(answer.value.name);
        for (const answer of answers) if (answer.status === "rejected") noteSurprise(answer.reason, log);
        if (names.size === 0) throw answers.find((answer) => answer.status === "rejected")?.reason;
        return [...names][0]!;
      },
      log,
      signal,
    );
  }

  async function watch(name: string): Promise<void> {
    const seen: ReturnType<typeof seenByClient>[] = [];
    log.watches.set(name, seen);
    const { client, link } = oneOf(clients);
    await askAgain(
      async () => {
        const afterEvent = BigInt(seen.at(-1)?.number ?? 0);
        const events = watchJob(client, name, { afterEvent, reconnectMs: PATIENCE_MS, signal });
        for await (const event of events) {
          seen.push(seenByClient(event));
          // A watch begins and ends with a state.
          if (event.event.case !== "state") moments.tell("watch", link);
        }
      },
      log,
      signal,
    );
  }

  const activities: Readonly<Record<string, (turn: string) => Promise<void>>> = {
    async synthesis(turn) {
      const request = { datasetId: turn, seed: 5n, subjects: 2, framesPerSubject: 30, imageSize: 64 };
      const call = { timeoutMs: leaseMs };
      await watch(
        await create(turn, (client, id) => client.datasets.synthesizeDataset({ ...request, requestId: id }, call)),
      );
    },
    async training(turn) {
      await watch(await create(turn, (client, requestId) => startTinyTraining(client, turn, requestId, leaseMs)));
    },
    async upload(turn) {
      await sleep(PAUSE_MS, undefined, { signal });
      // What has arrived lies on the disk of one machine.
      const { client, link } = oneOf(trainers);
      let reached = 0;
      const onProgress = (committed: number, size: number) => {
        const isInMiddle = committed > 0 && committed < size;
        // Told again where it goes on.
        if (isInMiddle && committed === reached) log.resumedUploads.add(turn);
        reached = committed;
        if (isInMiddle) moments.tell("upload", link);
      };
      const options = { signal, reconnectMs: PATIENCE_MS, onProgress };
      const send = () => uploadDataset(client, archive, { datasetId: turn }, options);
      const { name, digest } = await askAgain(send, log, signal);
      log.uploads.set(name, digest);
    },
    async import() {
      await sleep(PAUSE_MS, undefined, { signal });
      await importOnce();
    },
  };
  async function importOnce(): Promise<void> {
    const options = { model: `models/${IMPORTED}`, protocol: DatasetProtocol.BP4D, heads: 3 };
    const { modelVersion } = await askAgain(() => importModel(oneOf(all), WEIGHTS, options, { signal }), log, signal);
    log.imports.add(modelVersion!.name);
  }

  async function repeat(activity: string, lane: number): Promise<void> {
    for (let i = 0; !ending.signal.aborted; i++) await activities[activity]!(`${activity}-${lane}-${i}`);
  }
  const jobs = [...Array<string>(syntheses).fill("synthesis"), ...Array<string>(trainings).fill("training")];
  const lanes = [...jobs, "upload", "import"];
  const working = Promise.allSettled(lanes.map(repeat));

  return {
    log,
    moments,
    async finish(withinMs) {
      ending.abort();
      const timer = setTimeout(() => givenUp.abort(), withinMs);
      const outcomes = await working;
      for (const outcome of outcomes) {
        if (outcome.status === "rejected" && !signal.aborted) log.surprises.add(String(outcome.reason));
      }
      // What was torn is whole again when it was stored again.
      await importOnce().catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      clearTimeout(timer);
      return !signal.aborted;
    },
    async abandon() {
      ending.abort();
      givenUp.abort();
      await working;
      for (const client of all) client.close();
    },
  };
}
