import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type JobEventBody, openStore, type Store } from "./index.ts";

let directory: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "duchenne-store-"));
  store = await openStore({ directory });
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

const claim = (owner = "a", leaseMs = 30_000) => store.jobs.claim({ kinds: ["fine_tune"], owner, leaseMs });
const create = async () => (await store.jobs.create({ kind: "fine_tune", spec: { epochs: 1 } })).job;
const log = (text: string): JobEventBody => ({ kind: "log", level: "info", text });
const error = { code: "internal", reason: "BROKEN", message: "It broke" };

describe("jobs", () => {
  it("are claimed once, oldest first", async () => {
    const first = await create();
    const second = await create();
    const claims = await Promise.all([claim("a"), claim("b"), claim("c")]);
    expect(claims.map((job) => job?.id).sort()).toEqual([first.id, second.id, undefined].sort());
    expect(claims.flatMap((job) => job?.attempt ?? [])).toEqual([1, 1]);
  });

  it("are claimed once by several processes on one folder", async () => {
    const other = await openStore({ directory });
    for (let i = 0; i < 20; i++) await create();
    const claims = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        (i % 2 === 0 ? store : other).jobs.claim({ kinds: ["fine_tune"], owner: String(i), leaseMs: 30_000 }),
      ),
    );
    const ids = claims.flatMap((job) => job?.id ?? []);
    expect(new Set(ids).size).toBe(20);
    expect(ids.length).toBe(20);
    await other.close();
  });

  it("number their events without gap, over attempts", async () => {
    const { id } = await create();
    await claim("a", -1);
    await store.jobs.append(id, 1, [log("one"), log("two")]);
    await claim("b");
    await store.jobs.append(id, 2, [log("three")]);
    const events = await store.jobs.events(id, { after: 0, limit: 100 });
    expect(events.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(events.map(({ attempt }) => attempt)).toEqual([0, 1, 1, 1, 2, 2]);
    expect((await store.jobs.events(id, { after: 4, limit: 1 })).map(({ number }) => number)).toEqual([5]);
    expect((await store.jobs.get(id)).lastEvent).toBe(6);
  });

  it("take no writes of an attempt that was replaced", async () => {
    const { id } = await create();
    await claim("a", -1);
    await claim("b");
    const stale = { code: "aborted", reason: "STALE_ATTEMPT" };
    await expect(store.jobs.append(id, 1, [log("late")])).rejects.toMatchObject(stale);
    await expect(store.jobs.heartbeat(id, 1, 1000)).rejects.toMatchObject(stale);
    await expect(store.jobs.finish(id, 1, { state: "SUCCEEDED", result: {} })).rejects.toMatchObject(stale);
    await expect(
      store.models.createVersion({ model: "m", card: {}, artifacts: [], job: { id, attempt: 1 } }),
    ).rejects.toMatchObject(stale);
    expect((await store.jobs.events(id, { after: 0, limit: 100 })).length).toBe(3);
    expect((await store.jobs.get(id)).state).toBe("RUNNING");
  });

  it("are not claimed while their lease lasts, and are once their owner is released", async () => {
    const { id } = await create();
    await claim("a");
    expect(await claim("b")).toBeUndefined();
    expect(await store.jobs.owners()).toEqual(["a"]);
    await store.jobs.releaseOwner("a");
    expect(await claim("b")).toMatchObject({ id, attempt: 2 });
  });

  it("are tried again until their failures are used up", async () => {
    const { id } = (await store.jobs.create({ kind: "fine_tune", spec: {}, maxFailures: 2 })).job;
    await claim();
    expect((await store.jobs.finish(id, 1, { state: "FAILED", error, retryAfterMs: 0 })).state).toBe("RETRY_WAIT");
    await claim();
    const failed = await store.jobs.finish(id, 2, { state: "FAILED", error, retryAfterMs: 0 });
    expect(failed).toMatchObject({ state: "FAILED", error, failures: 2 });
  });

  it("do not count an interruption as a failure", async () => {
    const { id } = await create();
    await claim();
    await store.jobs.finish(id, 1, { state: "INTERRUPTED" });
    expect(await claim()).toMatchObject({ id, attempt: 2, failures: 0 });
  });

  it("are cancelled at once when they wait, on request when they run, and never after their end", async () => {
    const waiting = await create();
    expect((await store.jobs.requestCancel(waiting.id)).state).toBe("CANCELLED");
    const running = await create();
    await claim();
    expect((await store.jobs.requestCancel(running.id)).state).toBe("CANCELLING");
    expect(await store.jobs.heartbeat(running.id, 1, 1000)).toEqual({ cancelRequested: true });
    expect((await store.jobs.finish(running.id, 1, { state: "CANCELLED" })).state).toBe("CANCELLED");
    await expect(store.jobs.requestCancel(running.id)).rejects.toMatchObject({ reason: "JOB_ENDED" });
  });

  it("that were to be cancelled end as cancelled when their owner is lost", async () => {
    const { id } = await create();
    await claim("a");
    await store.jobs.requestCancel(id);
    await store.jobs.releaseOwner("a");
    expect(await claim("b")).toBeUndefined();
    expect((await store.jobs.get(id)).state).toBe("CANCELLED");
  });

  it("answer the same request with the same job, another request with an error", async () => {
    const request = { kind: "fine_tune", spec: { a: 1, b: { c: 2, d: 3 } }, requestId: "r" };
    const { job, created } = await store.jobs.create(request);
    expect(created).toBe(true);
    const again = await store.jobs.create({ ...request, spec: { b: { d: 3, c: 2 }, a: 1 } });
    expect(again).toMatchObject({ created: false, job: { id: job.id } });
    await expect(store.jobs.create({ ...request, spec: { a: 2 } })).rejects.toMatchObject({
      code: "already_exists",
      reason: "REQUEST_ID_REUSED",
    });
  });

  it("are listed newest first, in pages without doubles", async () => {
    const made: string[] = [];
    for (let i = 0; i < 7; i++) made.push((await create()).id);
    const listed: string[] = [];
    let pageToken = "";
    do {
      const page = await store.jobs.list({ pageSize: 3, pageToken });
      listed.push(...page.jobs.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(listed.length).toBe(7);
    expect(new Set(listed)).toEqual(new Set(made));
    await expect(store.jobs.list({ pageSize: 3, pageToken: "nonsense" })).rejects.toMatchObject({
      reason: "INVALID_PAGE_TOKEN",
    });
  });

  it("keep only the newest checkpoint, and none after their end", async () => {
    const { id } = await create();
    await claim();
    const checkpoint = async (step: number) => {
      const blob = await store.checkpoints.of(id).put(Buffer.from(`checkpoint ${step}`));
      await store.jobs.append(id, 1, [{ kind: "checkpoint", step, ...blob }]);
      return blob.digest;
    };
    const first = await checkpoint(1);
    const second = await checkpoint(2);
    expect((await store.jobs.get(id)).checkpoint).toEqual({ digest: second, step: 2 });
    await expect(store.checkpoints.of(id).get(first)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
    expect((await store.checkpoints.of(id).get(second)).toString()).toBe("checkpoint 2");
    await store.jobs.finish(id, 1, { state: "SUCCEEDED", result: {} });
    await expect(store.checkpoints.of(id).get(second)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
  });

  it("that have failed keep their checkpoint, and go on from it when they are tried again", async () => {
    const { id } = await create();
    await claim();
    const blob = await store.checkpoints.of(id).put(Buffer.from("step 4"));
    await store.jobs.append(id, 1, [{ kind: "checkpoint", step: 4, ...blob }]);
    await expect(store.jobs.retry(id)).rejects.toMatchObject({ reason: "JOB_NOT_FAILED" });
    expect(await store.jobs.finish(id, 1, { state: "FAILED", error })).toMatchObject({ state: "FAILED", error });
    expect((await store.checkpoints.of(id).get(blob.digest)).toString()).toBe("step 4");
    const queued = await store.jobs.retry(id);
    expect(queued).toMatchObject({ state: "QUEUED", failures: 0, checkpoint: { digest: blob.digest, step: 4 } });
    expect(queued.error).toBeUndefined();
    expect(await claim()).toMatchObject({ id, attempt: 2, checkpoint: { step: 4 } });
    await store.jobs.finish(id, 2, { state: "SUCCEEDED", result: {} });
    await expect(store.checkpoints.of(id).get(blob.digest)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
    await expect(store.jobs.retry("none")).rejects.toMatchObject({ reason: "JOB_NOT_FOUND" });
  });

  it("survive a process that is killed while it writes", async () => {
    const program = `
      import { openStore } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
      const store = await openStore({ directory: ${JSON.stringify(directory)} });
      const { job } = await store.jobs.create({ kind: "fine_tune", spec: {} });
      await store.jobs.claim({ kinds: ["fine_tune"], owner: "child", leaseMs: 30000 });
      for (let i = 0; i < 1000; i++) {
        await store.jobs.append(job.id, 1, [{ kind: "log", level: "info", text: String(i) }]);
        if (i === 20) process.kill(process.pid, "SIGKILL");
      }`;
    const ended = spawnSync(process.execPath, ["--input-type=module", "-e", program]);
    expect(ended.signal, ended.stderr.toString()).toBe("SIGKILL");
    const { jobs } = await store.jobs.list({ pageSize: 10 });
    const events = await store.jobs.events(jobs[0]!.id, { after: 0, limit: 1000 });
    expect(events.length).toBe(jobs[0]!.lastEvent);
    expect(events.length).toBeGreaterThanOrEqual(2 + 21);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => i + 1));
  });
});

describe("models", () => {
  const version = async (model = "demo") => {
    const { id } = await create();
    await claim();
    return store.models.createVersion({ model, card: { kind: "vit" }, artifacts: [], job: { id, attempt: 1 } });
  };

  it("count their versions, and give a job one version only", async () => {
    expect((await version()).version).toBe("1");
    const second = await version();
    expect(second.version).toBe("2");
    const job = { id: second.job!, attempt: 1 };
    const again = await store.models.createVersion({ model: "demo", card: {}, artifacts: [], job });
    expect(again).toEqual(second);
    const { versions } = await store.models.listVersions("demo", { pageSize: 10 });
    expect(versions.map((each) => each.version)).toEqual(["2", "1"]);
    expect(await store.models.getVersion("demo", "2")).toEqual(second);
    await expect(store.models.getVersion("demo", "3")).rejects.toMatchObject({ reason: "MODEL_VERSION_NOT_FOUND" });
    await expect(store.models.listVersions("none", { pageSize: 1 })).rejects.toMatchObject({ code: "not_found" });
  });

  it("have versions that no job made", async () => {
    const imported = { model: "demo", card: { kind: "vit" }, artifacts: [] };
    expect(await store.models.createVersion(imported)).not.toHaveProperty("job");
    expect((await store.models.createVersion(imported)).version).toBe("2");
  });

  it("move aliases, and refuse a move that was planned on an older state", async () => {
    await version();
    await version();
    const alias = { model: "default", alias: "live" };
    expect(await store.models.resolveAlias("default", "live")).toBeUndefined();
    const first = await store.models.setAlias({ ...alias, target: { model: "demo", version: "1" } });
    const second = await store.models.setAlias({
      ...alias,
      target: { model: "demo", version: "2" },
      etag: first.etag,
    });
    expect(await store.models.resolveAlias("default", "live")).toEqual(second);
    const stale = store.models.setAlias({ ...alias, target: { model: "demo", version: "1" }, etag: first.etag });
    await expect(stale).rejects.toMatchObject({ code: "aborted", reason: "ALIAS_MOVED" });
    await expect(store.models.setAlias({ ...alias, target: { model: "demo", version: "9" } })).rejects.toMatchObject({
      code: "not_found",
    });
    const { models } = await store.models.list({ pageSize: 10 });
    expect(models.map(({ id }) => id)).toEqual(["default", "demo"]);
    expect(models[0]!.aliases).toEqual([second]);
    expect(models[1]!.latestVersion).toBe("2");
  });
});

describe("data sets and evaluations", () => {
  it("are registered once", async () => {
    const dataset = { id: "faces", directory: "/data/faces", description: { frames: 3 } };
    const record = await store.datasets.register(dataset);
    expect(await store.datasets.get("faces")).toEqual(record);
    await expect(store.datasets.register(dataset)).rejects.toMatchObject({ reason: "DATASET_EXISTS" });
    await expect(store.datasets.get("other")).rejects.toMatchObject({ code: "not_found" });
  });

  it("keep the first report of a job", async () => {
    const { id: job } = await create();
    const evaluation = { id: "e1", modelVersion: "models/m/versions/1", dataset: "datasets/d", report: { f1: 1 }, job };
    const first = await store.evaluations.create(evaluation);
    const second = await store.evaluations.create({ ...evaluation, id: "e2" });
    expect(second).toEqual(first);
    expect(await store.evaluations.get("e1")).toEqual(first);
  });
});

describe("blobs", () => {
  it("are found by their sha256 and refused when changed", async () => {
    const { digest, sizeBytes } = await store.blobs.put(Buffer.from("abc"));
    expect(digest).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(sizeBytes).toBe(3);
    await writeFile(store.blobs.path(digest), "abd");
    await expect(store.blobs.get(digest)).rejects.toMatchObject({ code: "data_loss" });
    expect(() => store.blobs.path("../../etc/passwd")).toThrow("is not named by a sha256");
  });

  it("take files over, also those that they hold already", async () => {
    const path = join(directory, "upload");
    for (let i = 0; i < 2; i++) {
      await writeFile(path, "abc");
      expect(await store.blobs.adopt(path)).toEqual(await store.blobs.put(Buffer.from("abc")));
      expect(existsSync(path)).toBe(false);
    }
    const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    expect((await store.blobs.get(digest)).toString()).toBe("abc");
  });
});

describe("changes", () => {
  it("tell nothing when a claim finds no job", async () => {
    const turns = store.changes(AbortSignal.timeout(300))[Symbol.asyncIterator]();
    await turns.next();
    const second = turns.next();
    expect(await claim()).toBeUndefined();
    expect((await second).done).toBe(true);
  });

  it("tell of own writes and of those of another connection", async () => {
    const other = await openStore({ directory });
    const stop = new AbortController();
    const turns = store.changes(stop.signal)[Symbol.asyncIterator]();
    await turns.next();
    const own = turns.next();
    await create();
    await own;
    const theirs = turns.next();
    await other.jobs.create({ kind: "fine_tune", spec: {} });
    await theirs;
    const end = turns.next();
    stop.abort();
    expect((await end).done).toBe(true);
    await other.close();
  });
});
