import type { JobEvent, JobEventBody, JobRecord, ModelArtifact } from "@duchenne/store";
import { describe, expect, it } from "vitest";
import { audit, CHECKS, type Check, type Findings, type History } from "./audit.ts";
import { createClientLog, type SeenEvent, seenInStore } from "./client-log.ts";
import type { JobHistory, StoreHistory, VersionHistory } from "./history.ts";
import { traceOf } from "./tiny-training.ts";

const SHA = "5".repeat(64);
const artifacts: readonly ModelArtifact[] = ["safetensors", "onnx", "card"].map((role, i) => ({
  role,
  digest: `${i}`.repeat(64),
  sizeBytes: 10,
}));
const state = (name: JobRecord["state"]): JobEventBody => ({ kind: "state", state: name });
const metrics = (step: number): JobEventBody => ({ kind: "metrics", step, epoch: 0, values: { loss: 1 / step } });
const checkpoint = (step: number): JobEventBody => ({ kind: "checkpoint", step, digest: SHA, sizeBytes: 1 });

/** Events with numbers, each of an attempt. */
const numbered = (...bodies: readonly [attempt: number, body: JobEventBody][]): readonly JobEvent[] =>
  bodies.map(([attempt, body], i) => ({ ...body, number: i + 1, attempt, timeMs: i }));

function jobOf(id: string, events: readonly JobEvent[], more: Partial<JobRecord>): JobHistory {
  const job = {
    id,
    kind: "fine_tune",
    state: "SUCCEEDED",
    attempt: 1,
    lastEvent: events.length,
    requestId: `request-${id}`,
    ...more,
  } as JobRecord;
  return { job, events };
}

/** A training that was killed once and did step 3 twice, and a synthesis. */
function goodHistory() {
  const events = numbered(
    ...([
      [0, state("QUEUED")],
      [1, state("RUNNING")],
      [1, metrics(1)],
      [1, metrics(2)],
      [1, checkpoint(2)],
      [1, metrics(3)],
      [2, state("RUNNING")],
      [2, metrics(3)],
      [2, metrics(4)],
      [2, state("SUCCEEDED")],
    ] satisfies [number, JobEventBody][]),
  );
  const straight = numbered(...[1, 2, 3, 4].map((step): [number, JobEventBody] => [1, metrics(step)]));
  const version: VersionHistory = { name: "models/t/versions/1", job: "t", artifacts, problems: [] };
  const training = jobOf("t", events, { attempt: 2, result: { modelVersion: version.name } });
  const drawn = numbered([0, state("QUEUED")], [1, state("RUNNING")], [1, state("SUCCEEDED")]);
  const synthesis = jobOf("s", drawn, { kind: "synthesize_dataset", result: { dataset: "datasets/s" } });
  const clients = createClientLog();
  for (const { job, events } of [training, synthesis]) {
    clients.requests.set(`request-${job.id}`, new Set([`jobs/${job.id}`]));
    clients.watches.set(`jobs/${job.id}`, events.map(seenInStore));
  }
  clients.uploads.set("datasets/u", SHA);
  clients.imports.add("models/i/versions/1");
  const store: StoreHistory = {
    jobs: [training, synthesis],
    versions: [version, { name: "models/i/versions/1", job: undefined, artifacts, problems: [] }],
    datasets: new Map([
      ["datasets/s", SHA],
      ["datasets/u", SHA],
    ]),
  };
  const reference = traceOf(straight, artifacts);
  const history: History = {
    store,
    clients,
    uploaded: SHA,
    reference,
    zombieWrites: [],
    crashes: [],
  };
  return { history, training, synthesis, version };
}

/** The same history with another store. */
const withStore = (history: History, changed: Partial<StoreHistory>): History => ({
  ...history,
  store: { ...history.store, ...changed },
});
const withTraining = (changed: Partial<JobRecord>, events?: readonly JobEvent[]): History => {
  const { history, training, synthesis } = goodHistory();
  const job = { ...training.job, ...changed };
  return withStore(history, { jobs: [{ job, events: events ?? training.events }, synthesis] });
};
const watchedAs = (change: (seen: readonly SeenEvent[]) => readonly SeenEvent[]): History => {
  const { history } = goodHistory();
  history.clients.watches.set("jobs/t", [...change(history.clients.watches.get("jobs/t")!)]);
  return history;
};

/** Exactly this check finds something, and says so. */
function expectOnly(history: History, check: Check, text: string | RegExp): void {
  const findings: Findings = audit(history);
  for (const name of Object.keys(CHECKS) as Check[]) {
    if (name === check) expect(findings[name].join("\n")).toMatch(text);
    else expect(findings[name], name).toEqual([]);
  }
}

it("finds nothing where all is well", () => {
  for (const found of Object.values(audit(goodHistory().history))) expect(found).toEqual([]);
});

describe("jobs lost are found:", () => {
  it("one that the store does not have", () => {
    const { history, synthesis, version } = goodHistory();
    const changed = withStore(history, {
      jobs: [synthesis],
      versions: history.store.versions.filter((it) => it !== version),
    });
    expectOnly(changed, "jobs lost", "jobs/t of request request-t is not in the store");
  });
  it("one that was never answered", () => {
    const { history } = goodHistory();
    history.clients.requests.set("request-x", new Set());
    expectOnly(history, "jobs lost", "request request-x was never answered");
  });
  it("one that still runs", () => {
    expectOnly(withTraining({ state: "RUNNING" }), "jobs lost", "jobs/t (fine_tune) is RUNNING");
  });
  it("one that failed, also one whose checkpoint was torn", () => {
    const error = { code: "data_loss", reason: "BLOB_DAMAGED", message: "holds other bytes" };
    const failed = withTraining({ state: "FAILED", error });
    expectOnly(failed, "jobs lost", "jobs/t (fine_tune) is FAILED: holds other bytes");
  });
  it("one whose version, data set or import is not there", () => {
    const { history, version } = goodHistory();
    const gone = (name: string) => history.store.versions.filter((it) => it.name !== name);
    const findings = audit(withStore(history, { versions: gone(version.name) }));
    expect(findings["jobs lost"]).toEqual(["jobs/t has succeeded, and models/t/versions/1 is not its version"]);
    expectOnly(withStore(history, { versions: gone("models/i/versions/1") }), "jobs lost", "was imported and is not");
    expectOnly(
      withStore(history, { datasets: new Map([["datasets/u", SHA]]) }),
      "jobs lost",
      "datasets/s is not there",
    );
  });
});

describe("jobs finished twice are found:", () => {
  it("one with two ends, and one that goes on", () => {
    const { training } = goodHistory();
    const more = (attempt: number, body: JobEventBody) => {
      const events = numbered(...training.events.map((it): [number, JobEventBody] => [it.attempt, it]), [
        attempt,
        body,
      ]);
      const history = withTraining({ lastEvent: events.length }, events);
      history.clients.watches.set("jobs/t", events.map(seenInStore));
      return history;
    };
    expectOnly(more(2, state("SUCCEEDED")), "jobs finished twice", "jobs/t ended 2 times: SUCCEEDED, SUCCEEDED");
    const log = { kind: "log", level: "info", text: "still here" } as const;
    expectOnly(more(2, log), "jobs finished twice", "jobs/t went on after its end with 1 events");
  });
  it("one request that became two jobs, by its answers and by the store", () => {
    const { history } = goodHistory();
    history.clients.requests.get("request-t")!.add("jobs/s");
    expectOnly(history, "jobs finished twice", "request request-t became jobs/t and jobs/s");
    expectOnly(withTraining({ requestId: "request-s" }), "jobs finished twice", "became jobs/t and jobs/s");
  });
  it("one job that made two versions", () => {
    const { history, version } = goodHistory();
    const versions = [...history.store.versions, { ...version, name: "models/t/versions/2" }];
    expectOnly(
      withStore(history, { versions }),
      "jobs finished twice",
      "jobs/t made models/t/versions/1 and models/t/",
    );
  });
});

describe("events lost or doubled are found:", () => {
  it("in the store", () => {
    const { training } = goodHistory();
    const events = training.events.filter(({ number }) => number !== 4);
    const gap = withTraining({}, events);
    expect(audit(gap)["events lost or doubled"].join("\n")).toContain(
      "jobs/t has events 1-3, 5-10 and says that it has 10",
    );
    expectOnly(withTraining({ lastEvent: 11 }), "events lost or doubled", "has events 1-10 and says that it has 11");
  });
  it("by a watcher that missed one, got one twice, or got another", () => {
    const name = "events lost or doubled";
    expectOnly(
      watchedAs((seen) => seen.toSpliced(3, 1)),
      name,
      "got 9 of 10 events; the first that differs",
    );
    expectOnly(
      watchedAs((seen) => seen.toSpliced(3, 0, seen[3]!)),
      name,
      "got 11 of 10 events",
    );
    expectOnly(
      watchedAs((seen) => seen.slice(0, -1)),
      name,
      "got 9 of 10 events",
    );
    expectOnly(
      watchedAs((seen) => seen.with(2, { ...seen[2]!, said: "metrics: 1 another" })),
      name,
      "metrics: 1 another",
    );
  });
});

it("versions half-published are found: a file that is missing, and one that is damaged", () => {
  const { history, version } = goodHistory();
  const other = history.store.versions.at(-1)!;
  const half = { ...other, artifacts: artifacts.filter(({ role }) => role !== "onnx") };
  expectOnly(
    withStore(history, { versions: [version, half] }),
    "versions half-published",
    "models/i/versions/1: it has no onnx",
  );
  const damaged = { ...other, problems: ["its card cannot be read"] };
  expectOnly(
    withStore(history, { versions: [version, damaged] }),
    "versions half-published",
    "its card cannot be read",
  );
});

it("zombie writes are found: one that was not refused, and an event after a later attempt's", () => {
  const { history, training } = goodHistory();
  const refused = { ...history, zombieWrites: ["attempt 1 of t could end the job"] };
  expectOnly(refused, "zombie writes accepted", "could end the job");
  const events = training.events.with(8, { ...training.events[8]!, attempt: 1 });
  const late = withTraining({}, events);
  late.clients.watches.set("jobs/t", events.map(seenInStore));
  expectOnly(late, "zombie writes accepted", "jobs/t: event 9 is of attempt 1, after 2");
});

it("exact-resume mismatches are found: other weights, a step too many, a step with other values", () => {
  const { history, training } = goodHistory();
  const others = { ...history, reference: { ...history.reference, weights: "f".repeat(64) } };
  expectOnly(others, "exact-resume mismatches", /jobs\/t, 2 attempts: weights 000000000000, 4 metrics/);
  const changed = (i: number, body: JobEventBody) => {
    const events = training.events.with(i, { ...training.events[i]!, ...body } as JobEvent);
    const doctored = withTraining({}, events);
    doctored.clients.watches.set("jobs/t", events.map(seenInStore));
    return doctored;
  };
  expectOnly(changed(7, metrics(2)), "exact-resume mismatches", "4 metrics");
  const values = { loss: 1 / 3 + 2 ** -54 };
  expectOnly(changed(7, { kind: "metrics", step: 3, epoch: 0, values }), "exact-resume mismatches", "4 metrics");
});

describe("a training of which checkpoints were torn", () => {
  const cannotRead = (step: number, instead: string): JobEventBody => ({
    kind: "log",
    level: "warn",
    text: `The checkpoint of step ${step} cannot be read (Blob ${SHA} is missing): ${instead}`,
  });
  /** Killed after step 3, of which nothing was saved, with checkpoints of steps 1 and 2. */
  const killed: readonly [number, JobEventBody][] = [
    [0, state("QUEUED")],
    [1, state("RUNNING")],
    [1, metrics(1)],
    [1, checkpoint(1)],
    [1, metrics(2)],
    [1, checkpoint(2)],
    [1, metrics(3)],
    [2, state("RUNNING")],
  ];
  const went = (...rest: readonly [number, JobEventBody][]) => {
    const last = rest.at(-1)![0];
    const events = numbered(...killed, ...rest, [last, state("SUCCEEDED")]);
    const history = withTraining({ lastEvent: events.length, attempt: last }, events);
    history.clients.watches.set("jobs/t", events.map(seenInStore));
    return history;
  };
  const steps = (attempt: number, from: number) =>
    [1, 2, 3, 4].filter((step) => step >= from).map((step): [number, JobEventBody] => [attempt, metrics(step)]);
  const back = cannotRead(2, "goes on from that of step 1");
  const toStart = cannotRead(1, "starts from the beginning");

  it("is well when it went on from the one before, or started from the beginning", () => {
    for (const history of [
      went([2, back], ...steps(2, 2)),
      went([2, back], [2, toStart], ...steps(2, 1)),
      // Killed when the damaged one had been saved again, before it could tell: the next one reads it.
      went([2, back], [2, metrics(2)], [3, state("RUNNING")], ...steps(3, 3)),
    ]) {
      for (const found of Object.values(audit(history))) expect(found).toEqual([]);
    }
  });

  it("is found when it left out a step, or did one again that it need not have", () => {
    const name = "exact-resume mismatches";
    expectOnly(went([2, back], ...steps(2, 3)), name, "3 metrics");
    expectOnly(went([2, back], ...steps(2, 1)), name, "5 metrics");
    expectOnly(went([2, back], [2, toStart], ...steps(2, 2)), name, "3 metrics");
    expectOnly(went(...steps(2, 2)), name, "5 metrics");
  });
});

it("uploads that are lost or changed are found", () => {
  const { history } = goodHistory();
  const datasets = (digest: string) =>
    new Map([
      ["datasets/s", SHA],
      ["datasets/u", digest],
    ]);
  expectOnly(withStore(history, { datasets: datasets("6".repeat(64)) }), "uploads lost or changed", "datasets/u");
  expectOnly(
    withStore(history, { datasets: new Map([["datasets/s", SHA]]) }),
    "uploads lost or changed",
    "stored with none",
  );
  history.clients.uploads.set("datasets/u", "6".repeat(64));
  expectOnly(history, "uploads lost or changed", "answered with 666");
});

it("answers and ends that nobody expected are found", () => {
  const { history } = goodHistory();
  const name = "unexpected answers and crashes";
  expectOnly({ ...history, crashes: ["a trainer ended by itself with 1"] }, name, "ended by itself");
  history.clients.surprises.add("[internal] UNEXPECTED");
  expectOnly(history, name, "UNEXPECTED");
});

it("failures of attempts are found that nothing explains", () => {
  const failing = (reason: string, message: string) => {
    const { training } = goodHistory();
    const error = { code: "internal", reason, message };
    const failed: JobEventBody = { kind: "state", state: "RETRY_WAIT", error };
    const events = training.events.with(5, { ...training.events[5]!, ...failed } as JobEvent);
    const history = withTraining({}, events);
    history.clients.watches.set("jobs/t", events.map(seenInStore));
    return history;
  };
  const name = "unexpected answers and crashes";
  expectOnly(failing("UNEXPECTED", "oh"), name, "attempt 1 of jobs/t failed: UNEXPECTED: oh");
  expectOnly(failing("ATTEMPT_CRASHED", "The attempt's process ended with code 1"), name, "ended with code 1");
  expectOnly(failing("BLOB_DAMAGED", "torn"), name, "BLOB_DAMAGED: torn");
  for (const explained of [
    failing("ATTEMPT_CRASHED", "The attempt's process was ended by SIGKILL"),
    failing("DISK_FULL", "No room"),
  ]) {
    expect(audit(explained)[name]).toEqual([]);
  }
});
