import type { Message } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import {
  type Context,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { CallContext, Interceptor } from "../call.ts";
import { codeName } from "../code-name.ts";
import { bindIterable, SCOPE } from "../telemetry/spans.ts";

/** Statuses that are the server's fault; the others are the caller's, and leave the server's span unset. */
const SERVER_FAULTS = new Set([
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
]);

interface Counts {
  received: number;
  sent: number;
}

/**
 * Opens a SERVER span for every call, as a child of the caller's W3C trace context, and records
 * rpc.server.call.duration, with the names of OpenTelemetry's RPC conventions. A stream that lasts also gets a child
 * span for every `segmentMs` of it, so that it is seen before it ends.
 */
export function telemetryInterceptor(segmentMs = 60_000): Interceptor {
  const durations = metrics.getMeter(SCOPE).createHistogram("rpc.server.call.duration", {
    unit: "s",
    description: "Duration of inbound calls.",
    advice: {
      explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    },
  });
  return (next) =>
    async function* (call) {
      const { context } = call;
      const parent = propagation.extract(ROOT_CONTEXT, context.requestHeader, {
        get: (headers, key) => headers.get(key) ?? undefined,
        keys: (headers) => [...headers.keys()],
      });
      const tracer = trace.getTracer(SCOPE);
      const attributes = callAttributes(context);
      const span = tracer.startSpan(attributes["rpc.method"], { kind: SpanKind.SERVER, attributes }, parent);
      context.traceContext = trace.setSpan(parent, span);
      const counts: Counts = { received: 0, sent: 0 };
      const streaming = context.method.methodKind !== "unary";
      const segments = streaming ? startSegments(tracer, context.traceContext, counts, segmentMs) : undefined;
      const startMs = performance.now();
      let outcome = "CANCELLED";
      try {
        const responses = next({ context, requests: count(call.requests, () => counts.received++) });
        for await (const response of bindIterable(responses, context.traceContext)) {
          counts.sent += 1;
          yield response;
        }
        outcome = "OK";
      } catch (error) {
        outcome = codeName(ConnectError.from(error).code);
        throw error;
      } finally {
        segments?.stop();
        endSpan(span, outcome, streaming ? counts : undefined);
        const labels = { ...metricAttributes(attributes), "rpc.status_code": outcome, ...errorType(outcome) };
        durations.record((performance.now() - startMs) / 1e3, labels, context.traceContext);
      }
    };
}

type CallAttributes = ReturnType<typeof callAttributes>;

function callAttributes(context: CallContext) {
  const { method, protocol, peer } = context;
  return {
    "rpc.system.name": protocol === "connect" ? "connectrpc" : "grpc",
    "rpc.method": `${method.parent.typeName}/${method.name}`,
    "network.protocol.name": protocol,
    "client.address": peer,
  };
}

/** Labels of a metric name no one: the caller's address stays out. */
function metricAttributes(attributes: CallAttributes): Record<string, string> {
  return { "rpc.system.name": attributes["rpc.system.name"], "rpc.method": attributes["rpc.method"] };
}

function errorType(outcome: string): Record<string, string> {
  return SERVER_FAULTS.has(outcome) ? { "error.type": outcome } : {};
}

function endSpan(span: Span, outcome: string, counts: Counts | undefined): void {
  span.setAttributes({ "rpc.status_code": outcome, ...errorType(outcome) });
  if (counts !== undefined) {
    span.setAttributes({
      "duchenne.rpc.requests_received": counts.received,
      "duchenne.rpc.responses_sent": counts.sent,
    });
  }
  if (SERVER_FAULTS.has(outcome)) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

async function* count(messages: AsyncIterable<Message>, increment: () => void): AsyncIterable<Message> {
  for await (const message of messages) {
    increment();
    yield message;
  }
}

function startSegments(tracer: Tracer, parent: Context, counts: Counts, segmentMs: number): { stop(): void } {
  let index = 0;
  let startTime = Date.now();
  let before: Counts = { ...counts };
  const endSegment = () => {
    const attributes = {
      "duchenne.rpc.segment": index,
      "duchenne.rpc.requests_received": counts.received - before.received,
      "duchenne.rpc.responses_sent": counts.sent - before.sent,
    };
    tracer.startSpan("segment", { startTime, attributes }, parent).end();
    index += 1;
    startTime = Date.now();
    before = { ...counts };
  };
  const timer = setInterval(endSegment, segmentMs).unref();
  return {
    stop() {
      clearInterval(timer);
      if (index > 0) endSegment();
    },
  };
}
