import { hasEnded, type JobEvent } from "@duchenne/store";
import { type ClientLog, seenInStore } from "./client-log.ts";
import type { JobHistory, StoreHistory } from "./history.ts";
import { type TrainingTrace, traceName, traceOf } from "./tiny-training.ts";

/** All that is known when a run is over. */
export interface History {
  readonly store: StoreHistory;
  readonly clients: ClientLog;
  /** The digest of what was uploaded. */
  readonly uploaded: string;
  /** A training that nothing happened to. */
  readonly reference: TrainingTrace;
  /** Writes in the name of a replaced attempt that were not refused. */
  readonly zombieWrites: readonly string[];
  /** What no fault explains. */
  readonly crashes: readonly string[];
}

/** What is counted. None of it may be. */
export const CHECKS = {
  "jobs lost": jobsLost,
  "jobs finished twice": jobsFinishedTwice,
  "events lost or doubled": eventsLostOrDoubled,
  "versions half-published": versionsHalfPublished,
  "zombie writes accepted": zombieWritesAccepted,
  "exact-resume mismatches": exactResumeMismatches,
  "uploads lost or changed": uploadsLostOrChanged,
  "unexpected answers and crashes": surprises,
} as const satisfies Readonly<Record<string, (history: History) => readonly string[]>>;
/** What is counted. */
export type Check = keyof typeof CHECKS;
/** By check, everything that was found. */
export type Findings = Readonly<Record<Check, readonly string[]>>;

/** Looks for everything that must not be. */
export function audit(history: History): Findings {
  const found = Object.entries(CHECKS).map(([name, check]) => [name, check(history)]);
  return Object.fromEntries(found) as Findings;
}

const FILES = ["card", "onnx", "safetensors"];
const jobName = ({ job }: JobHistory) => `jobs/${job.id}`;
const statesOf = (events: readonly JobEvent[]) => events.flatMap((it) => (it.kind === "state" ? it.state : []));
const versionOf = ({ store }: History, name: unknown) => store.versions.find((each) => each.name === name);

/** Asked for and not there, or there and not brought to its end, or at its end without what it made. */
function jobsLost(history: History): readonly string[] {
  const { store, clients } = history;
  const names = new Set(store.jobs.map(jobName));
  const lost: string[] = [];
  for (const [request, answered] of clients.requests) {
    if (answered.size === 0) lost.push(`request ${request} was never answered`);
    for (const name of answered) if (!names.has(name)) lost.push(`${name} of request ${request} is not in the store`);
  }
  for (const each of store.jobs) {
    const { id, kind, state, error, result } = each.job;
    if (state !== "SUCCEEDED") lost.push(`${jobName(each)} (${kind}) is ${state}: ${error?.message ?? "no error"}`);
    else if (kind === "fine_tune" && versionOf(history, result?.modelVersion)?.job !== id)
      lost.push(`${jobName(each)} has succeeded, and ${result?.modelVersion} is not its version`);
    else if (kind === "synthesize_dataset" && !/^[0-9a-f]{64}$/.test(store.datasets.get(String(result?.dataset)) ?? ""))
      lost.push(`${jobName(each)} has succeeded, and ${result?.dataset} is not there`);
  }
  for (const name of clients.imports) {
    if (versionOf(history, name) === undefined) lost.push(`${name} was imported and is not in the store`);
  }
  return lost;
}

function jobsFinishedTwice({ store, clients }: History): readonly string[] {
  const twice: string[] = [];
  const requests = new Map<string, string[]>();
  for (const each of store.jobs) {
    const states = statesOf(each.events);
    const ends = states.filter(hasEnded);
    if (ends.length > 1) twice.push(`${jobName(each)} ended ${ends.length} times: ${ends.join(", ")}`);
    const atEnd = each.events.findIndex((event) => event.kind === "state" && hasEnded(event.state));
    const after = atEnd < 0 ? 0 : each.events.length - 1 - atEnd;
    if (ends.length <= 1 && after > 0) twice.push(`${jobName(each)} went on after its end with ${after} events`);
    const { requestId } = each.job;
    if (requestId !== undefined) requests.set(requestId, [...(requests.get(requestId) ?? []), jobName(each)]);
    const made = store.versions.filter(({ job }) => job === each.job.id);
    if (made.length > 1) twice.push(`${jobName(each)} made ${made.map(({ name }) => name).join(" and ")}`);
  }
  for (const [request, names] of requests) {
    const all = new Set([...names, ...(clients.requests.get(request) ?? [])]);
    if (all.size > 1) twice.push(`request ${request} became ${[...all].join(" and ")}`);
  }
  return twice;
}

/** Stored numbers have no gap, and every watcher got each event once and as it is stored. */
function eventsLostOrDoubled({ store, clients }: History): readonly string[] {
  const wrong: string[] = [];
  for (const each of store.jobs) {
    const numbers = each.events.map(({ number }) => number);
    const isWhole = numbers.every((number, i) => number === i + 1) && numbers.length === each.job.lastEvent;
    if (!isWhole)
      wrong.push(`${jobName(each)} has events ${spans(numbers)} and says that it has ${each.job.lastEvent}`);
    const seen = clients.watches.get(jobName(each));
    if (seen === undefined) continue;
    const stored = each.events.map(seenInStore);
    const length = Math.max(seen.length, stored.length);
    const differs = Array.from({ length }, (_, i) => i).find(
      (i) => JSON.stringify(seen[i]) !== JSON.stringify(stored[i]),
    );
    if (differs === undefined) continue;
    wrong.push(
      `the watcher of ${jobName(each)} got ${seen.length} of ${stored.length} events; the first that differs: ` +
        `${JSON.stringify(seen[differs])}, stored as ${JSON.stringify(stored[differs])}`,
    );
  }
  return wrong;
}

function versionsHalfPublished({ store }: History): readonly string[] {
  return store.versions.flatMap(({ name, artifacts, problems }) => {
    const roles = artifacts.map(({ role }) => role).sort();
    const missing = FILES.filter((role) => !roles.includes(role)).map((role) => `it has no ${role}`);
    return [...missing, ...problems].map((problem) => `${name}: ${problem}`);
  });
}

/** An attempt that was replaced stored something: its number comes after a greater one. */
function zombieWritesAccepted({ store, zombieWrites }: History): readonly string[] {
  const late = store.jobs.flatMap((each) => {
    let latest = 0;
    return each.events.flatMap((event) => {
      const isLate = event.attempt < latest;
      latest = Math.max(latest, event.attempt);
      return isLate ? `${jobName(each)}: event ${event.number} is of attempt ${event.attempt}, after ${latest}` : [];
    });
  });
  return [...zombieWrites, ...late];
}

/** Weights and metrics of every training equal those of the one that never stopped. */
function exactResumeMismatches(history: History): readonly string[] {
  const { reference, store } = history;
  return store.jobs.flatMap((each) => {
    const { kind, state, result, attempt } = each.job;
    if (kind !== "fine_tune" || state !== "SUCCEEDED") return [];
    const trace = traceOf(each.events, versionOf(history, result?.modelVersion)?.artifacts ?? []);
    if (JSON.stringify(trace) === JSON.stringify(reference)) return [];
    return `${jobName(each)}, ${attempt} attempts: ${traceName(trace)}; expected ${traceName(reference)}`;
  });
}

function uploadsLostOrChanged({ store, clients, uploaded }: History): readonly string[] {
  return [...clients.uploads].flatMap(([name, digest]) => {
    const stored = store.datasets.get(name);
    if (stored === uploaded && digest === uploaded) return [];
    return `${name} was sent with digest ${uploaded}, answered with ${digest}, and is stored with ${stored ?? "none"}`;
  });
}

/** Answers, ends of processes and failures of attempts that nothing explains which was done to them. */
function surprises({ clients, crashes, store }: History): readonly string[] {
  const failures = store.jobs.flatMap((each) =>
    each.events.flatMap((event) => {
      if (event.kind !== "state" || event.error === undefined) return [];
      const { reason, message } = event.error;
      const isExplained =
        reason === "DISK_FULL" || (reason === "ATTEMPT_CRASHED" && message.includes("was ended by SIGKILL"));
      return isExplained ? [] : `attempt ${event.attempt} of ${jobName(each)} failed: ${reason}: ${message}`;
    }),
  );
  return [...clients.surprises, ...crashes, ...failures];
}

/** Numbers as spans: "1-4, 6". */
function spans(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
}
