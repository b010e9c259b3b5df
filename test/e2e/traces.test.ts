import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  DatasetService,
  DetectorService,
  JobService,
  JobState,
  type StreamDetectRequestSchema,
  TrainerService,
} from "@duchenne/proto";
import { clientTracing, startTelemetry } from "@duchenne/rpc/telemetry";
import { expect, it } from "vitest";
import { type ReceivedSpan, startOtlpReceiver } from "./otlp-receiver.ts";
import { photographOfSmile } from "./photograph.ts";
import { startServer, temporaryFolder } from "./server-process.ts";

const STREAM = "duchenne.v1.DetectorService/StreamDetect";
const CREATE = "duchenne.v1.TrainerService/CreateTrainingJob";

it("follows a client's stream through decode, faces and inference, and a training over its fork", async () => {
  await using folder = await temporaryFolder();
  const collector = await startOtlpReceiver();
  const telemetry = startTelemetry({ serviceName: "test-client", version: "0", otlpEndpoint: collector.endpoint });
  const server = await startServer("standalone", folder.path, { args: ["--otlp-endpoint", collector.endpoint] });
  try {
    const transport = createGrpcTransport({
      baseUrl: `http://127.0.0.1:${server.grpcPort}`,
      interceptors: [clientTracing()],
    });
    const image = await photographOfSmile();
    async function* requests(): AsyncGenerator<MessageInitShape<typeof StreamDetectRequestSchema>> {
      yield { message: { case: "configuration", value: {} } };
      yield { message: { case: "frame", value: { sequence: 1n, image } } };
    }
    for await (const _ of createClient(DetectorService, transport).streamDetect(requests()));

    const synthesis = { datasetId: "faces", subjects: 3, framesPerSubject: 40, imageSize: 96 };
    const drawn = await createClient(DatasetService, transport).synthesizeDataset(synthesis);
    const jobs = createClient(JobService, transport);
    for await (const _ of jobs.watchJob({ name: drawn.name }));
    const training = await createClient(TrainerService, transport).createTrainingJob({
      training: {
        case: "fineTune",
        value: {
          dataset: "datasets/faces",
          model: "models/demo",
          encoder: { variant: "micro" },
          augmentation: "flip",
          lambda: 0,
          optimization: { epochs: 2, warmupEpochs: 1, batchSize: 8, checkpointEverySteps: 2 },
        },
      },
    });
    for await (const _ of jobs.watchJob({ name: training.name }));
    expect((await jobs.getJob({ name: training.name })).state).toBe(JobState.SUCCEEDED);
    await telemetry.flush();

    const spans = await collector.until((all) => all.some(isFineTune(all)) && all.some(named(STREAM, "test-client")));
    const find = (name: string, parent: ReceivedSpan) =>
      spans.find((span) => span.name === name && span.parentSpanId === parent.spanId);

    const stream = spans.find(named(STREAM, "test-client"))!;
    const served = find(STREAM, stream)!;
    expect(served.service).toBe("duchenne-standalone");
    const frame = find("frame", served)!;
    for (const stage of ["decode", "faces", "inference"]) expect(find(stage, frame), stage).toBeDefined();
    expect(new Set([stream, served, frame].map(({ traceId }) => traceId)).size).toBe(1);

    // The attempt is a root of its own, linked to the call that created its job.
    const created = find(CREATE, spans.find(named(CREATE, "test-client"))!)!;
    const attempt = spans.find(isFineTune(spans))!;
    expect(attempt.service).toBe("duchenne-attempt");
    expect(attempt.parentSpanId).toBe("");
    expect(attempt.traceId).not.toBe(created.traceId);
    expect(attempt.links).toEqual([{ traceId: created.traceId, spanId: created.spanId }]);
    for (const child of ["epoch", "checkpoint", "publish"]) expect(find(child, attempt), child).toBeDefined();
  } finally {
    await server.end();
    await telemetry.shutdown();
    await collector.close();
  }
}, 180_000);

const named = (name: string, service: string) => (span: ReceivedSpan) => span.name === name && span.service === service;

/** The attempt of the training, not that of the synthesis: it published a model. */
function isFineTune(all: readonly ReceivedSpan[]) {
  const publish = all.find(({ name }) => name === "publish");
  return (span: ReceivedSpan) => span.name === "attempt" && span.spanId === publish?.parentSpanId;
}
