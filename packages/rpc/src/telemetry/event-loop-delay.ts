import { monitorEventLoopDelay } from "node:perf_hooks";
import type { MeterProvider } from "@opentelemetry/api";
import { SCOPE } from "./spans.ts";

/**
 * Reports how late the event loop runs, in seconds, as the gauges nodejs.eventloop.delay.{min,max,mean,p50,p90,p99} of
 * OpenTelemetry's conventions; each covers the time since the last collection.
 */
export function observeEventLoopDelay(meterProvider: MeterProvider): { stop(): void } {
  const resolutionMs = 10;
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  const meter = meterProvider.getMeter(SCOPE);
  // Node measures the interval between ticks of a timer; what exceeds the timer's own interval is the delay.
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3);
  const readings: Record<string, () => number> = {
    min: () => delays.min,
    max: () => delays.max,
    mean: () => delays.mean,
    p50: () => delays.percentile(50),
    p90: () => delays.percentile(90),
    p99: () => delays.percentile(99),
  };
  const gauges = Object.entries(readings).map(([name, read]) => {
    const gauge = meter.createObservableGauge(`nodejs.eventloop.delay.${name}`, {
      unit: "s",
      description: `Event loop ${name} delay.`,
    });
    return { gauge, read };
  });
  meter.addBatchObservableCallback(
    (observer) => {
      if (delays.count === 0) return;
      for (const { gauge, read } of gauges) observer.observe(gauge, seconds(read()));
      delays.reset();
    },
    gauges.map(({ gauge }) => gauge),
  );
  return { stop: () => delays.disable() };
}
