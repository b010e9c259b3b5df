import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { DetectorService, DropReason, ModelService } from "@duchenne/proto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { grayImage } from "../e2e/photograph.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../e2e/server-process.ts";
import { only, openStream } from "./live-client.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let image: Buffer;
beforeAll(async () => {
  folder = await temporaryFolder();
  // Few may wait at the lowest priority, and many at the others.
  const args = ["--workers", "1", "--max-queue-sizes", "0,0,2", "--frames-per-stream", "16"];
  server = await startServer("detector", folder.path, { args });
  image = await grayImage(640, 480);
});
afterAll(async () => {
  await server.end();
  await folder[Symbol.asyncDispose]();
});

it("a stream that floods the server takes its turn: none gets less than 0.8 of the mean", async () => {
  const stop = new AbortController();
  const streams = Array.from({ length: 6 }, () => openStream(server.grpc, {}, stop.signal));
  for (const stream of streams) await stream.next("configured");
  const answered = streams.map(() => 0);
  const enough = 12 * streams.length;
  let total = 0;
  await Promise.all(
    streams.map(async (stream, i) => {
      let sequence = 0n;
      const send = (frames: number) => {
        for (let sent = 0; sent < frames; sent++) stream.frame({ sequence: ++sequence, image });
      };
      // The first has as many waiting as a stream may, the others two: first come, first served would be 16 to 2.
      send(i === 0 ? 80 : 2);
      while (total < enough) {
        await stream.next("result");
        // Those that come after the count was full would come from streams that catch up.
        if (total++ < enough) answered[i]!++;
        if (i > 0) send(1);
      }
    }),
  );
  stop.abort();
  const mean = enough / streams.length;
  expect(Math.min(...answered), String(answered)).toBeGreaterThanOrEqual(0.8 * mean);
});

it("what does not fit into a queue is told so, frame by frame, and others do not notice", async () => {
  const low = openStream(server.grpc, { priority: 3 });
  const high = openStream(server.grpc, { priority: 1 });
  for (const stream of [low, high]) await stream.next("configured");
  for (let sequence = 1n; sequence <= 8n; sequence++) {
    low.frame({ sequence, image });
    high.frame({ sequence, image });
  }
  for (const stream of [low, high]) stream.halfClose();
  const [answers, others] = [await low.rest(), await high.rest()];
  const dropped = only(answers, "dropped");
  expect(dropped.length).toBeGreaterThan(0);
  for (const { reason, detail } of dropped) {
    expect(reason).toBe(DropReason.QUEUE_FULL);
    expect(detail).toBe("Expected at most 2 images of priority 3 to wait, got one more");
  }
  expect(only(answers, "result").length + dropped.length).toBe(8);
  expect(only(others, "result").length).toBe(8);
});

it("what waits too long is dropped as late", async () => {
  const busy = openStream(server.grpc, { priority: 1 });
  const hurried = openStream(server.grpc, { priority: 2, queueTimeout: { seconds: 0n, nanos: 1_000_000 } });
  for (const stream of [busy, hurried]) await stream.next("configured");
  for (let sequence = 1n; sequence <= 8n; sequence++) busy.frame({ sequence, image });
  await busy.next("result");
  hurried.frame({ sequence: 1n, image });
  const dropped = await hurried.next("dropped");
  expect(dropped).toMatchObject({ reason: DropReason.DEADLINE });
  expect(dropped.detail).toContain("Expected to be taken within 1 ms");
  for (const stream of [busy, hurried]) stream.halfClose();
  expect(only(await hurried.rest(), "summary")[0]!.drops).toMatchObject([{ reason: DropReason.DEADLINE, frames: 1n }]);
  await busy.rest();
});

it("single images are refused with a status", async () => {
  const { detectFaces } = createClient(DetectorService, server.grpc);
  const refusals = await Promise.all(
    Array.from({ length: 8 }, () =>
      detectFaces({ image, priority: 3 }).then(
        () => undefined,
        (error: unknown) => ConnectError.from(error).code,
      ),
    ),
  );
  expect(refusals).toContain(Code.ResourceExhausted);
  expect(refusals).toContain(undefined);
  const unknown = await detectFaces({ image, priority: 4 }).catch((error: unknown) => ConnectError.from(error));
  expect(unknown).toMatchObject({ code: Code.InvalidArgument });
});

it("calls that only read do not wait behind images", async () => {
  const { getModelVersion } = createClient(ModelService, server.grpc);
  const stream = openStream(server.grpc, { priority: 1 });
  await stream.next("configured");
  const frames = 16;
  for (let sequence = 1n; sequence <= frames; sequence++) stream.frame({ sequence, image });
  stream.halfClose();
  let answered = 0;
  const reading = (async () => {
    for (let answer = await stream.read(); answer !== undefined; answer = await stream.read()) {
      if (answer.case === "result") answered++;
    }
  })();
  // One after the other: were images worked on by the thread that answers, each would wait for one at least.
  for (let call = 0; call < frames / 2; call++) await getModelVersion({ name: "models/blendshape-au/versions/1" });
  expect(answered).toBeLessThan(frames / 2);
  await reading;
  expect(answered).toBe(frames);
});
