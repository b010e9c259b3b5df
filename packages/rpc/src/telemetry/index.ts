/** OpenTelemetry for every process of the product, servers or not. */
export { clientTracing } from "./client-tracing.ts";
export {
  bindIterable,
  contextFromTraceparent,
  recordFailure,
  SCOPE,
  type SpanOptions,
  spanContextFromTraceparent,
  traceparentOf,
  withSpan,
} from "./spans.ts";
export { startTelemetry, type Telemetry, type TelemetryOptions } from "./start-telemetry.ts";
