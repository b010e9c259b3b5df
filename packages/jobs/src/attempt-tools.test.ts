import { type Blobs, type JobCheckpoint, type Store, StoreUnavailableError } from "@duchenne/store";
import { contractDrivers, useStore } from "@duchenne/store/test-servers";
import { describe, expect, it } from "vitest";
import { createAttemptTools } from "./attempt-tools.ts";
import type { AttemptMessage } from "./messages.ts";

describe("an attempt whose store cannot be reached", () => {
  const fixture = useStore(contractDrivers[0]!);
  const bytes = Buffer.from("weights");

  /** Fails as over a network that is down, so many times. */
  function failing<T extends object>(calls: T, times: number): T {
    let left = times;
    const each = Object.entries(calls).map(([name, call]: [string, (...args: never[]) => unknown]) => [
      name,
      async (...args: never[]) => {
        if (left-- > 0) throw new StoreUnavailableError("away");
        return call(...args);
      },
    ]);
    return Object.fromEntries(each) as T;
  }

  function attempt(parts: (store: Store) => Partial<Store>, checkpoints: readonly JobCheckpoint[] = []) {
    const stop = new AbortController();
    const sent: AttemptMessage[] = [];
    const tools = createAttemptTools(
      { id: "job", checkpoints },
      {
        store: { ...fixture.store, ...parts(fixture.store) },
        dataDirectory: fixture.location.directory,
        signal: stop.signal,
        send: async (message) => void sent.push(message),
      },
    );
    return { tools, stop, sent };
  }
  const checkpointsFailing = (times: number) => (store: Store) => ({
    checkpoints: { ...store.checkpoints, of: (job: string): Blobs => failing(store.checkpoints.of(job), times) },
  });

  it("waits for it to read and to publish", async () => {
    const { tools } = attempt(({ blobs, models }) => ({ blobs: failing(blobs, 2), models: failing(models, 2) }));
    const { digest, sizeBytes } = await tools.store.blobs.put(bytes);
    expect((await tools.store.blobs.get(digest)).toString()).toBe("weights");
    const artifacts = [{ role: "onnx", digest, sizeBytes }];
    expect(await tools.store.models.createVersion({ model: "m", card: {}, artifacts })).toMatchObject({ version: "1" });
    const listed = [];
    for await (const each of attempt(() => ({})).tools.store.blobs.list()) listed.push(each.digest);
    expect(listed).toEqual([digest]);
  });

  it("waits for it to save and to load a checkpoint, also when it was told to stop", async () => {
    const saving = attempt(checkpointsFailing(2));
    saving.stop.abort();
    await saving.tools.saveCheckpoint(3, bytes);
    const { digest } = await fixture.store.checkpoints.of("job").put(bytes);
    expect(saving.sent).toEqual([
      { kind: "event", event: { kind: "checkpoint", step: 3, digest, sizeBytes: bytes.length } },
    ]);
    const loading = attempt(checkpointsFailing(2), [{ digest, step: 3 }]);
    expect((await loading.tools.loadCheckpoint())?.toString()).toBe("weights");
  });

  it("stops waiting when it is told to stop, as it was told", async () => {
    const { tools, stop } = attempt(({ blobs }) => ({ blobs: failing(blobs, Number.POSITIVE_INFINITY) }));
    const waiting = tools.store.blobs.put(bytes);
    const reason = new Error("stop");
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it("does not wait when something else is wrong", async () => {
    const { tools } = attempt(() => ({}));
    await expect(tools.store.models.getVersion("none", "1")).rejects.toMatchObject({ code: "not_found" });
  });
});

describe.each(contractDrivers)("an attempt whose checkpoint is damaged, with $name", (driver) => {
  const fixture = useStore(driver);
  const damage = (digest: string, bytes: string) =>
    driver.damage(fixture.location, "checkpoints/job", digest, Buffer.from(bytes));

  /** An attempt that finds checkpoints of steps 20 and 40. */
  async function attempt() {
    const checkpoints = fixture.store.checkpoints.of("job");
    const saved: JobCheckpoint[] = [];
    for (const step of [40, 20]) saved.push({ step, ...(await checkpoints.put(Buffer.from(`step ${step}`))) });
    const sent: AttemptMessage[] = [];
    const tools = createAttemptTools(
      { id: "job", checkpoints: saved },
      {
        store: fixture.store,
        dataDirectory: fixture.location.directory,
        signal: new AbortController().signal,
        send: async (message) => void sent.push(message),
      },
    );
    const [newest, older] = saved.map(({ digest }) => digest) as [string, string];
    const told = () =>
      sent.flatMap((message) =>
        message.kind === "event" && message.event.kind === "log" ? [[message.event.level, message.event.text]] : [],
      );
    return { tools, newest, older, told, load: async () => (await tools.loadCheckpoint())?.toString() };
  }

  it("goes on from the newest while it can be read", async () => {
    const { load, told } = await attempt();
    expect(await load()).toBe("step 40");
    expect(told()).toEqual([]);
  });

  it("goes on from the one before, and tells which and why", async () => {
    const { load, told, newest } = await attempt();
    await damage(newest, "step");
    expect(await load()).toBe("step 20");
    expect(told()).toEqual([
      [
        "warn",
        expect.stringMatching(/^The checkpoint of step 40 cannot be read \(Blob .*\): goes on from that of step 20$/),
      ],
    ]);
  });

  it("starts from the beginning when none can be read", async () => {
    const { load, told, newest, older } = await attempt();
    await fixture.store.checkpoints.of("job").remove(newest);
    await damage(older, "other bytes");
    expect(await load()).toBeUndefined();
    const texts = told().map(([, text]) => text);
    expect(texts).toEqual([
      `The checkpoint of step 40 cannot be read (Blob ${newest} is missing): goes on from that of step 20`,
      expect.stringMatching(/^The checkpoint of step 20 cannot be read \(Blob .*\): starts from the beginning$/),
    ]);
  });

  it("makes it whole when it is saved again, also where as many other bytes lie", async () => {
    const { load, tools, newest } = await attempt();
    await damage(newest, "STEP 40");
    expect(await load()).toBe("step 20");
    await tools.saveCheckpoint(40, Buffer.from("step 40"));
    expect((await fixture.store.checkpoints.of("job").get(newest)).toString()).toBe("step 40");
  });
});
