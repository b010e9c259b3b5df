import { type Attributes, context, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { type IMetricReader, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { observeEventLoopDelay } from "./event-loop-delay.ts";

/** What startTelemetry sends, and where. */
export interface TelemetryOptions {
  /** The service.name resource attribute, such as "duchenne-detector". */
  readonly serviceName: string;
  /** The service.version resource attribute. */
  readonly version: string;
  /** The collector's OTLP/HTTP base, such as "http://127.0.0.1:4318"; undefined sends nothing. */
  readonly otlpEndpoint?: string | undefined;
  /** Headers of every export, such as an authorization. */
  readonly otlpHeaders?: Readonly<Record<string, string>>;
  /** More resource attributes. */
  readonly attributes?: Attributes;
  /** The share of new traces to record, 0..1; default 1. A caller's decision goes first. */
  readonly samplingRatio?: number;
  /** How often metrics are sent, in milliseconds; default 30,000. */
  readonly metricIntervalMs?: number;
  /** The longest time a shutdown may take, in milliseconds; default 3,000. */
  readonly shutdownTimeoutMs?: number;
  /** Receives each span as it ends, beside the collector. */
  readonly spanExporter?: SpanExporter;
  /** Reads metrics, beside the collector. */
  readonly metricReader?: IMetricReader;
}

/** Running telemetry of this process. */
export interface Telemetry {
  /** True when spans and metrics go anywhere. */
  readonly enabled: boolean;
  /** Sends what is waiting. */
  flush(): Promise<void>;
  /** Sends what is waiting, within the shutdown's timeout, and stops. Never rejects: telemetry must not fail a stop. */
  shutdown(): Promise<void>;
}

/**
 * Starts OpenTelemetry for this process: spans and metrics by OTLP/HTTP, W3C context, AsyncLocalStorage. Without an
 * endpoint nothing is recorded, but trace context still passes from callers to callees. Once a process; shutdown
 * allows another start.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const exported = exporters(options);
  const enabled = exported.spanProcessors.length > 0 || exported.metricReaders.length > 0;
  if (!enabled) {
    return {
      enabled,
      flush: async () => {},
      shutdown: async () => disableGlobals(),
    };
  }

  const resource = resourceFromAttributes({
    "service.name": options.serviceName,
    "service.version": options.version,
    "service.instance.id": crypto.randomUUID(),
    "process.pid": process.pid,
    "process.runtime.name": "nodejs",
    "process.runtime.version": process.versions.node,
    ...options.attributes,
  });
  const tracerProvider = new TracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.samplingRatio ?? 1) }),
    spanProcessors: exported.spanProcessors,
  });
  trace.setGlobalTracerProvider(tracerProvider);
  const meterProvider = new MeterProvider({ resource, readers: exported.metricReaders });
  metrics.setGlobalMeterProvider(meterProvider);
  const eventLoopDelay = observeEventLoopDelay(meterProvider);

  return {
    enabled,
    async flush() {
      await Promise.all([tracerProvider.forceFlush(), meterProvider.forceFlush()]);
    },
    async shutdown() {
      const stopped = Promise.allSettled([tracerProvider.shutdown(), meterProvider.shutdown()]);
      const timeout = AbortSignal.timeout(options.shutdownTimeoutMs ?? 3_000);
      await Promise.race([stopped, new Promise((resolve) => timeout.addEventListener("abort", resolve))]);
      eventLoopDelay.stop();
      disableGlobals();
    },
  };
}

function exporters(options: TelemetryOptions): { spanProcessors: SpanProcessor[]; metricReaders: IMetricReader[] } {
  const spanProcessors: SpanProcessor[] = [];
  const metricReaders: IMetricReader[] = [];
  if (options.spanExporter !== undefined)
    spanProcessors.push(new SimpleSpanProcessor({ exporter: options.spanExporter }));
  if (options.metricReader !== undefined) metricReaders.push(options.metricReader);
  if (options.otlpEndpoint !== undefined) {
    const base = options.otlpEndpoint.replace(/\/+$/, "");
    const headers = { ...options.otlpHeaders };
    spanProcessors.push(
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: `${base}/v1/traces`, headers }),
        scheduledDelayMillis: 1_000,
      }),
    );
    metricReaders.push(
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${base}/v1/metrics`, headers }),
        exportIntervalMillis: options.metricIntervalMs ?? 30_000,
        exportTimeoutMillis: Math.min(options.metricIntervalMs ?? 30_000, 10_000),
      }),
    );
  }
  return { spanProcessors, metricReaders };
}

function disableGlobals(): void {
  trace.disable();
  metrics.disable();
  propagation.disable();
  context.disable();
}
