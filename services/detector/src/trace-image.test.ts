import { startTelemetry, type TelemetryOptions } from "@duchenne/rpc/telemetry";
import type { Detection } from "@duchenne/vision";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { expect, it } from "vitest";
import { traceImage } from "./trace-image.ts";

type Exporter = NonNullable<TelemetryOptions["spanExporter"]>;
type Span = Parameters<Exporter["export"]>[0][number];

it("the span of an image begins with its arrival, and its stages follow what it waited", async () => {
  const spans: Span[] = [];
  const spanExporter: Exporter = {
    export(ended, done) {
      spans.push(...ended);
      done({ code: 0 });
    },
    shutdown: async () => {},
  };
  const telemetry = startTelemetry({ serviceName: "test", version: "0", spanExporter });
  const times = { queueMs: 800, decodeMs: 10, facesMs: 20, inferenceMs: 30, totalMs: 1000 };
  const detection: Detection = { faces: [], imageSize: { width: 1, height: 1 }, times };
  await traceImage(
    ROOT_CONTEXT,
    performance.now() - 1000,
    async () => detection,
    (result) => result,
  );
  await telemetry.shutdown();
  const ms = ([seconds, nanos]: Span["startTime"]) => seconds * 1000 + nanos / 1e6;
  const frame = spans.find(({ name }) => name === "frame")!;
  expect(ms(frame.endTime) - ms(frame.startTime)).toBeGreaterThanOrEqual(990);
  const offsets = ["decode", "faces", "inference"].map((stage) => {
    const { startTime, endTime } = spans.find(({ name }) => name === stage)!;
    return [startTime, endTime].map((time) => Math.round(ms(time) - ms(frame.startTime)));
  });
  expect(offsets).toEqual([
    [800, 810],
    [810, 830],
    [830, 860],
  ]);
});
