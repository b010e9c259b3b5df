import type { MessageInitShape } from "@bufbuild/protobuf";
import { exactDuration, exactDurationMs } from "@duchenne/control";
import {
  FramePolicy,
  type OutputOptions,
  type Smoothing as SmoothingMessage,
  type SmoothingSchema,
  type StreamConfiguration,
} from "@duchenne/proto";
import { type BatchingOptions, priorityFrom, type Smoothing } from "@duchenne/vision";
import type { LanePolicy } from "./frame-lane.ts";

/** What a server gives a stream that does not say. */
export interface StreamDefaults {
  readonly maxFaces: number;
  readonly detectEvery: number;
  readonly batching: Pick<BatchingOptions, "priorities" | "defaultPriority">;
}

/** How a stream is answered, every default filled in. */
export interface StreamSettings {
  readonly model: string;
  readonly policy: LanePolicy;
  readonly maxFaces: number;
  readonly outputs: OutputOptions | undefined;
  readonly detectEvery: number;
  readonly smoothing: Smoothing;
  readonly priority: number;
  readonly queueTimeoutMs: number | undefined;
}

/** The settings that a configuration asks for. @throws {UnknownPriorityError} */
export function streamSettings(configuration: StreamConfiguration, defaults: StreamDefaults): StreamSettings {
  const { model, policy, maxFaces, outputs, tracking, smoothing, queueTimeout } = configuration;
  return {
    model,
    policy: policy === FramePolicy.LATEST_WINS ? "latest-wins" : "every-frame",
    maxFaces: maxFaces || defaults.maxFaces,
    outputs,
    detectEvery: tracking?.detectEvery || defaults.detectEvery,
    smoothing: smoothingFrom(smoothing),
    priority: priorityFrom(configuration.priority, defaults.batching),
    queueTimeoutMs: queueTimeout && exactDurationMs(queueTimeout),
  };
}

/** The wire's name of a policy. */
export function policyMessage(policy: LanePolicy): FramePolicy {
  return policy === "latest-wins" ? FramePolicy.LATEST_WINS : FramePolicy.EVERY_FRAME;
}

function smoothingFrom(message: SmoothingMessage | undefined): Smoothing {
  switch (message?.filter.case) {
    case "exponential":
      return { kind: "ema", halfLifeMs: exactDurationMs(message.filter.value.halfLife!) };
    case "oneEuro": {
      const { minCutoffHz, beta, derivativeCutoffHz } = message.filter.value;
      return { kind: "one-euro", minCutoffHz: minCutoffHz || 1, beta, derivativeCutoffHz: derivativeCutoffHz || 1 };
    }
    default:
      return { kind: "none" };
  }
}

/** The smoothing in force as it is answered; undefined when there is none. */
export function smoothingMessage(smoothing: Smoothing): MessageInitShape<typeof SmoothingSchema> | undefined {
  switch (smoothing.kind) {
    case "none":
      return undefined;
    case "ema":
      return { filter: { case: "exponential", value: { halfLife: exactDuration(smoothing.halfLifeMs) } } };
    case "one-euro": {
      const { minCutoffHz, beta, derivativeCutoffHz } = smoothing;
      return { filter: { case: "oneEuro", value: { minCutoffHz, beta, derivativeCutoffHz } } };
    }
  }
}
