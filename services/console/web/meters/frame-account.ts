import { type Duration, durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { DropReason, type FrameDropped, type FrameResult, type StageTimes } from "@duchenne/proto";
import { RollingWindow } from "./rolling-window.ts";

const SPAN_MS = 5_000;

/** What a frame waits for, in the order of its way; the last is all that the server does not know of. */
export const STAGES = ["decode", "queue", "faces", "inference", "travel"] as const;
/** A part of a frame's time. */
export type Stage = (typeof STAGES)[number];

/** Where the time of a single frame went, in milliseconds. */
export type StagesMs = Readonly<Record<Stage, number>>;

/** What became of the frames of one session. */
export interface FrameMeters {
  readonly answeredPerSecond: number;
  /** From the camera to the answer, in milliseconds; undefined before the first. */
  readonly latency: { readonly medianMs: number; readonly p95Ms: number } | undefined;
  /** Medians. */
  readonly stages: StagesMs | undefined;
  readonly answered: number;
  readonly dropped: number;
  /** By reason, in words. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Frames that were not sent, because the server had enough. */
  readonly skipped: number;
}

/** Keeps account of a session's frames: what is told is of the last seconds, what is counted of the whole session. */
export class FrameAccount {
  readonly #latency = new RollingWindow(SPAN_MS);
  readonly #stages = Object.fromEntries(STAGES.map((stage) => [stage, new RollingWindow(SPAN_MS)])) as Record<
    Stage,
    RollingWindow
  >;
  readonly #reasons = new Map<string, number>();
  #answered = 0;
  #dropped = 0;
  #highest = 0n;

  result({ sequence, captureTime, times }: FrameResult, nowMs: number): void {
    this.#answered++;
    this.#saw(sequence);
    const latencyMs = captureTime === undefined ? undefined : nowMs - timestampMs(captureTime);
    if (latencyMs !== undefined) this.#latency.push(nowMs, latencyMs);
    if (times === undefined) return;
    const stages = stagesOf(times, latencyMs);
    for (const stage of STAGES) this.#stages[stage].push(nowMs, stages[stage]);
  }

  drop({ sequence, reason }: FrameDropped): void {
    this.#dropped++;
    this.#saw(sequence);
    const words = dropReasonInWords(reason);
    this.#reasons.set(words, (this.#reasons.get(words) ?? 0) + 1);
  }

  meters(nowMs: number): FrameMeters {
    const medianMs = this.#latency.quantile(0.5, nowMs);
    const p95Ms = this.#latency.quantile(0.95, nowMs);
    const medians = STAGES.map((stage) => [stage, this.#stages[stage].quantile(0.5, nowMs)] as const);
    return {
      answeredPerSecond: this.#latency.ratePerSecond(nowMs),
      latency: medianMs === undefined || p95Ms === undefined ? undefined : { medianMs, p95Ms },
      stages: medians.some(([, value]) => value === undefined) ? undefined : (Object.fromEntries(medians) as StagesMs),
      answered: this.#answered,
      dropped: this.#dropped,
      reasons: new Map(this.#reasons),
      skipped: Number(this.#highest) - this.#answered - this.#dropped,
    };
  }

  /** Frames have numbers without a gap before they are sent or left out; drops may come before older answers. */
  #saw(sequence: bigint): void {
    if (sequence > this.#highest) this.#highest = sequence;
  }
}

/** Where the time went. @param latencyMs as the page measured it; undefined: the server's total */
export function stagesOf(times: StageTimes, latencyMs?: number): StagesMs {
  const of = (duration: Duration | undefined) => (duration === undefined ? 0 : durationMs(duration));
  const server = {
    decode: of(times.decode),
    queue: of(times.queue),
    faces: of(times.faces),
    inference: of(times.inference),
  };
  const known = server.decode + server.queue + server.faces + server.inference;
  return { ...server, travel: Math.max(0, (latencyMs ?? of(times.total)) - known) };
}

const REASONS: Readonly<Record<number, string>> = {
  [DropReason.INVALID]: "not a picture",
  [DropReason.TOO_LARGE]: "too large",
  [DropReason.STALE]: "a newer one came",
  [DropReason.QUEUE_FULL]: "queue full",
  [DropReason.DEADLINE]: "waited too long",
  [DropReason.GOING_AWAY]: "server stopping",
  [DropReason.INTERNAL]: "server failed",
};

/** A reason as people say it. */
export function dropReasonInWords(reason: DropReason): string {
  return REASONS[reason] ?? "not stated";
}
