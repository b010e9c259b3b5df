import { createLogger } from "@duchenne/rpc";
import { type AuModel, type Detection, type DetectionRequest, describeBuiltInModel } from "@duchenne/vision";
import { expect, it } from "vitest";
import { ModelRegistry } from "../model-registry.ts";
import type { ServedModel } from "../served-model.ts";
import { CanaryMirror } from "./canary-mirror.ts";

const face = { box: { left: 1, top: 2, width: 3, height: 4 }, confidence: 0.9, landmarks: new Float32Array(3) };
const times = { queueMs: 0, decodeMs: 0, facesMs: 0, inferenceMs: 0, totalMs: 0 };
const imageSize = { width: 10, height: 10 };
const detection = (score: number): Detection => ({
  faces: [{ ...face, scores: [{ actionUnit: 12, score, threshold: 0.5 }] }],
  imageSize,
  times,
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A mirror over versions 1 (live) and 2 (canary) of a model; the canary answers when the test says so. */
function setUp({ share = 1, random = () => 0 }: { share?: number; random?: () => number } = {}) {
  const aliases = new Map([
    ["models/a@live", "models/a/versions/1"],
    ["models/a@canary", "models/a/versions/2"],
  ]);
  const runs: { readonly request: DetectionRequest; answer(score: number): void; fail(error: Error): void }[] = [];
  const disposed: string[] = [];
  const run: AuModel["run"] = (request) =>
    new Promise((resolve, reject) => {
      runs.push({ request, answer: (score) => resolve(detection(score)), fail: reject });
    });
  const unused = () => Promise.reject(new Error("not used"));
  const registry = new ModelRegistry<ServedModel>(
    {
      async resolve(reference) {
        const version = aliases.get(reference);
        if (version !== undefined) return { version, alias: reference };
        if (reference.includes("@")) throw Object.assign(new Error(`no ${reference}`), { code: "not_found" });
        return { version: reference, alias: "" };
      },
      async load(name) {
        if (name.endsWith("/broken")) throw new Error("broken file");
        const au: AuModel = {
          describe: describeBuiltInModel,
          find: unused,
          score: unused,
          run,
          dispose: async () => {},
        };
        return { name, au, dispose: async () => void disposed.push(name) };
      },
      onLoadFailure: () => "",
    },
    { keepIdle: 0 },
  );
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ name: "test", destination: { write: (line) => lines.push(JSON.parse(line)) } });
  const outcomes: string[] = [];
  const metrics = { frame: (outcome: string) => void outcomes.push(outcome), score: () => {} };
  const mirror = new CanaryMirror({ registry, share, priority: 3, metrics, logger, random });
  /** Offers frames of a stream, one a turn. */
  async function offer(stream: ReturnType<CanaryMirror["open"]>, frames: number, reference = "models/a@live") {
    const following = await registry.follow(reference);
    for (let i = 0; i < frames; i++) {
      const lease = following.lease();
      const request = { image: new Uint8Array([i]), maxFaces: 1, logits: true };
      const prepared = { ...face, input: new Float32Array(), follows: 0 };
      const found = { faces: [prepared], searched: true, imageSize, request, receivedMs: 0, ...times, prepareMs: 0 };
      stream.offer({ lease, request, found, detection: detection(0.4) });
      lease.release();
      await turn();
    }
    following.close();
  }
  /** As the detector does when the store changed. */
  const changed = async () => {
    await registry.refresh();
    mirror.refresh();
    await turn();
  };
  return { aliases, mirror, offer, changed, runs, outcomes, lines, disposed };
}

it("has a frame's own faces scored by the canary, one frame at a time, and reports how it differs", async () => {
  const { mirror, offer, runs, outcomes, lines, disposed } = setUp();
  const stream = mirror.open();
  await offer(stream, 3);
  // The first frame found the canary still loading.
  expect(runs.map(({ request }) => request)).toEqual([{ image: new Uint8Array([1]), maxFaces: 1, faces: [face] }]);
  expect(outcomes).toEqual(["skipped"]);
  runs[0]!.answer(0.6);
  await turn();
  await offer(stream, 1);
  runs[1]!.answer(0.4);
  await turn();
  expect(outcomes).toEqual(["skipped", "compared", "compared"]);
  stream.close();
  await turn();
  expect(lines).toMatchObject([
    {
      message: "The canary was compared with what is live",
      live: "models/a/versions/1",
      canary: "models/a/versions/2",
      frames: 2,
      scores: 2,
      sameDecisions: 0.5,
      meanDifference: 0.1,
      largestDifference: 0.2,
    },
  ]);
  expect(disposed).toContain("models/a/versions/2");
});

it("takes its share", async () => {
  const draws = [0.4, 0.6, 0.1, 0.9];
  const { mirror, offer, runs, outcomes } = setUp({ share: 0.5, random: () => draws.shift()! });
  const stream = mirror.open();
  await offer(stream, 1);
  for (let i = 0; i < 4; i++) {
    await offer(stream, 1);
    runs.at(-1)?.answer(0.4);
    await turn();
  }
  expect(runs.map(({ request }) => request.image)).toHaveLength(2);
  expect(outcomes).toEqual(["compared", "compared"]);
  stream.close();
});

it("leaves alone who is on a version or on the canary, and a canary that is what is live", async () => {
  const { mirror, offer, runs, aliases } = setUp();
  const stream = mirror.open();
  await offer(stream, 2, "models/a/versions/1");
  await offer(stream, 2, "models/a@canary");
  aliases.set("models/a@canary", "models/a/versions/1");
  await offer(stream, 3);
  expect(runs).toEqual([]);
  stream.close();
});

it("begins when a canary is named", async () => {
  const { mirror, offer, runs, aliases, lines } = setUp();
  aliases.delete("models/a@canary");
  const stream = mirror.open();
  await offer(stream, 3);
  aliases.set("models/a@canary", "models/a/versions/2");
  mirror.refresh();
  await turn();
  await offer(stream, 1);
  expect(runs.length).toBe(1);
  expect(lines).toEqual([]);
  stream.close();
});

it("ends when its alias is deleted, says what it found until then, and begins again with the next", async () => {
  const { mirror, offer, changed, runs, aliases, lines, disposed } = setUp();
  const stream = mirror.open();
  await offer(stream, 2);
  runs[0]!.answer(0.6);
  await turn();
  aliases.delete("models/a@canary");
  await changed();
  expect(lines).toMatchObject([{ canary: "models/a/versions/2", frames: 1 }]);
  expect(disposed).toContain("models/a/versions/2");
  await offer(stream, 3);
  expect(runs.length).toBe(1);
  aliases.set("models/a@canary", "models/a/versions/3");
  await changed();
  await offer(stream, 1);
  expect(runs.length).toBe(2);
  expect(lines.length).toBe(1);
  stream.close();
});

it("a canary that fails, cannot be loaded or is busy harms nobody, and is told once", async () => {
  const { mirror, offer, runs, outcomes, lines, aliases } = setUp();
  const stream = mirror.open();
  await offer(stream, 1);
  const busy = Object.assign(new Error("full"), { reason: "QUEUE_FULL" });
  for (const error of [new Error("bad output"), new Error("bad output"), busy]) {
    await offer(stream, 1);
    runs.at(-1)!.fail(error);
    await turn();
  }
  expect(outcomes).toEqual(["failed", "failed", "skipped"]);
  stream.close();
  await turn();
  expect(lines).toMatchObject([
    { level: "warn", message: "The canary failed on a frame" },
    { level: "info", frames: 0, failures: 2 },
  ]);
  aliases.set("models/a@canary", "models/a/versions/broken");
  const other = mirror.open();
  await offer(other, 2);
  for (let i = 0; i < 3; i++) mirror.refresh();
  await turn();
  expect(lines.slice(2)).toMatchObject([{ level: "error", message: "A canary cannot be loaded" }]);
  other.close();
});

it("ends what is mirrored when it is closed", async () => {
  const { mirror, offer, runs, outcomes, disposed } = setUp();
  const stream = mirror.open();
  await offer(stream, 2);
  const closed = mirror.close();
  runs[0]!.fail(new Error("aborted"));
  await closed;
  await offer(stream, 1);
  expect(outcomes).toEqual([]);
  expect(disposed).toContain("models/a/versions/2");
});
