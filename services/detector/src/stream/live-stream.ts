import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Calibration,
  DropReason,
  type Frame,
  FrameSchema,
  type StreamDetectRequest,
  type StreamDetectResponseSchema,
} from "@duchenne/proto";
import { checkMessage, type Logger } from "@duchenne/rpc";
import { type Detection, type DetectionRequest, FaceSignals, FaceTracker, type FoundImage } from "@duchenne/vision";
import type { Context } from "@opentelemetry/api";
import { detectionRequestFrom, frameResult } from "../convert.ts";
import type { FrameMetrics } from "../frame-metrics.ts";
import type { Lease } from "../model-registry.ts";
import type { ServedModel } from "../served-model.ts";
import { createTraceSampler, traceImage } from "../trace-image.ts";
import { calibratedMessage, calibrationRequest } from "./calibration-message.ts";
import { configuredMessage } from "./configured-message.ts";
import { dropFrom, dropName, type FrameDrop, GoingAwayError } from "./frame-drop.ts";
import { FrameLane, type WorkOptions } from "./frame-lane.ts";
import { Outbox } from "./outbox.ts";
import { StreamOrderError } from "./stream-order-error.ts";
import type { StreamSettings } from "./stream-settings.ts";

/** A message to the caller of a stream. */
export type StreamResponse = MessageInitShape<typeof StreamDetectResponseSchema>;

/** What a live stream needs of the server. */
export interface LiveStreamOptions {
  readonly metrics: FrameMetrics;
  readonly logger: Logger;
  /** Frames that a caller may have unanswered. */
  readonly credit: number;
  /** How long a lost face is remembered, in milliseconds of the frames' time. */
  readonly faceMemoryMs: number;
  /** How long frames are still scored when the server is about to stop. */
  readonly goingAwayGraceMs: number;
  /** When callers are told to connect again. */
  readonly reconnectAfterMs: number;
  /** How often a frame is traced with its stages. */
  readonly traceEveryMs: number;
  /** Holds the stream's span. */
  readonly traceContext: Context;
  readonly signal: AbortSignal;
  /** Aborts when the server is about to stop. */
  readonly draining: AbortSignal;
}

/** A usable frame on its way. */
interface Arrival {
  readonly frame: Frame;
  readonly request: DetectionRequest;
  /** By performance.now(). */
  readonly receivedMs: number;
  /** The frame's own time, in milliseconds since 1970; never before that of the frame before. */
  readonly frameTimeMs: number;
  /** Of the model that works on it, once it is handed to work. */
  lease?: Lease<ServedModel>;
}

interface Scored {
  readonly found: FoundImage;
  readonly detection: Detection;
}

/** Answers unread by the caller after which no more frames are read. */
const OUTBOX_CAPACITY = 64;

/** One stream between its configuration and its summary. */
export class LiveStream {
  readonly outbox = new Outbox<StreamResponse>(OUTBOX_CAPACITY);
  readonly #settings: StreamSettings;
  readonly #lease: () => Lease<ServedModel>;
  readonly #options: LiveStreamOptions;
  readonly #startedMs: number;
  readonly #lane: FrameLane<Arrival, Scored>;
  readonly #tracker: FaceTracker;
  readonly #signals: FaceSignals;
  readonly #isTraced: () => boolean;
  /** Ends the work on frames: the server stops, or the caller is gone. */
  readonly #stop = new AbortController();
  readonly #drops = new Map<DropReason, number>();
  #received = 0;
  #answered = 0;
  #frameTimeMs = 0;
  #lastSequence: bigint | undefined;
  /** The model and the problem that the caller was told of last. */
  #announced = "";
  #model = "";
  #goingAway = false;
  #ending = false;
  /** Nobody reads any more. */
  #gone = false;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(
    settings: StreamSettings,
    lease: () => Lease<ServedModel>,
    options: LiveStreamOptions,
    startedMs: number,
  ) {
    this.#settings = settings;
    this.#lease = lease;
    this.#options = options;
    this.#startedMs = startedMs;
    this.#tracker = new FaceTracker({ detectEvery: settings.detectEvery, memoryMs: options.faceMemoryMs });
    this.#signals = new FaceSignals(settings.smoothing);
    this.#isTraced = createTraceSampler(options.traceEveryMs);
    this.#lane = new FrameLane({
      policy: settings.policy,
      maxUnanswered: options.credit,
      work: (arrival, workOptions) => this.#work(arrival, workOptions),
      answer: (arrival, outcome) => this.#answer(arrival, outcome),
      stale: (arrival) => this.#stale(arrival),
    });
    const first = lease();
    this.#announce(first, options.credit);
    first.release();
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
    options.draining.addEventListener("abort", this.#onDraining, { once: true });
    if (options.draining.aborted) this.#onDraining();
  }

  /** Reads frames until the caller half-closes, and ends with the summary. */
  async read(iterator: AsyncIterator<StreamDetectRequest>): Promise<void> {
    try {
      while (!this.#ending) {
        const next = await iterator.next();
        if (this.#ending) return;
        if (next.done === true) break;
        await this.#take(next.value.message);
        await this.outbox.room();
      }
      await this.#end();
    } catch (error) {
      this.outbox.fail(error);
    }
  }

  /** Lets go of everything; nobody reads any more. */
  abandon(): void {
    const { signal, draining } = this.#options;
    signal.removeEventListener("abort", this.#onAbort);
    draining.removeEventListener("abort", this.#onDraining);
    clearTimeout(this.#graceTimer);
    this.#ending = true;
    this.#gone = true;
    this.outbox.end();
    this.#stop.abort(new GoingAwayError());
  }

  async #take(message: StreamDetectRequest["message"]): Promise<void> {
    switch (message.case) {
      case "frame":
        this.#received++;
        return this.#takeFrame(message.value);
      case "calibration":
        return this.#takeCalibration(message.value);
      default: {
        const expected = "Expected frames and calibrations after the configuration";
        throw new StreamOrderError("configuration", `${expected}, got another configuration`);
      }
    }
  }

  async #takeFrame(frame: Frame): Promise<void> {
    const receivedMs = performance.now();
    const { outputs, maxFaces } = this.#settings;
    try {
      this.#checkSequence(frame.sequence);
      checkMessage(FrameSchema, frame);
      const request = detectionRequestFrom(frame, outputs, maxFaces);
      const { captureTime } = frame;
      this.#frameTimeMs = Math.max(
        captureTime === undefined ? Date.now() : timestampMs(captureTime),
        this.#frameTimeMs,
      );
      await this.#lane.push({ frame, request, receivedMs, frameTimeMs: this.#frameTimeMs });
    } catch (error) {
      this.#lane.between(() => this.#failed(frame, error));
    }
  }

  #takeCalibration(message: Calibration): void {
    const { faceId } = message;
    const lease = this.#lease();
    const request = calibrationRequest(message, lease.model.au.describe());
    lease.release();
    this.#lane.between(() => this.#signals.calibrate(request, faceId === 0n ? undefined : faceId));
  }

  async #end(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    clearTimeout(this.#graceTimer);
    await this.#lane.settled();
    this.outbox.push({
      message: {
        case: "summary",
        value: {
          framesReceived: BigInt(this.#received),
          framesAnswered: BigInt(this.#answered),
          framesDropped: BigInt([...this.#drops.values()].reduce((sum, frames) => sum + frames, 0)),
          drops: [...this.#drops].map(([reason, frames]) => ({ reason, frames: BigInt(frames) })),
          duration: durationFromMs(Math.round(performance.now() - this.#startedMs)),
        },
      },
    });
    this.outbox.end();
  }

  readonly #onAbort = (): void => this.abandon();

  /** Tells the caller; the stream goes on for its grace, then what is left is dropped. */
  readonly #onDraining = (): void => {
    const { goingAwayGraceMs, reconnectAfterMs } = this.#options;
    this.#goingAway = true;
    this.outbox.push({
      message: {
        case: "goingAway",
        value: { reconnectAfter: durationFromMs(reconnectAfterMs), grace: durationFromMs(goingAwayGraceMs) },
      },
    });
    this.#graceTimer = setTimeout(() => {
      this.#stop.abort(new GoingAwayError());
      void this.#end();
    }, goingAwayGraceMs);
  };

  async #work(arrival: Arrival, { latest, onStart }: WorkOptions): Promise<Scored> {
    const { request, receivedMs, frameTimeMs } = arrival;
    const { priority, queueTimeoutMs: timeoutMs } = this.#settings;
    arrival.lease = this.#lease();
    const { au } = arrival.lease.model;
    const { signal } = this.#stop;
    const scheduling = { stream: this, priority, timeoutMs, latest, signal, onStart, receivedMs, frameTimeMs };
    const work = async (): Promise<Scored> => {
      const found = await au.find(request, { ...scheduling, tracker: this.#tracker });
      return { found, detection: await au.score(found, scheduling) };
    };
    if (!this.#isTraced()) return work();
    return traceImage(this.#options.traceContext, work, ({ detection }) => detection);
  }

  #answer(arrival: Arrival, outcome: PromiseSettledResult<Scored>): void {
    try {
      if (outcome.status === "fulfilled") this.#result(arrival, outcome.value);
      else this.#failed(arrival.frame, outcome.reason);
    } catch (error) {
      this.outbox.fail(error);
    } finally {
      arrival.lease?.release();
    }
  }

  #stale({ frame, lease }: Arrival): void {
    this.#drop(frame, { reason: DropReason.STALE, detail: "A newer frame came before its turn" });
    lease?.release();
  }

  #result({ frame, lease, frameTimeMs }: Arrival, { found, detection }: Scored): void {
    this.#announce(lease!, 0);
    const ids = found.faceIds ?? this.#tracker.update(found, frameTimeMs);
    const measured: StreamResponse[] = [];
    const faces = detection.faces.map((face, i) => {
      const signalled = this.#signals.next(ids[i]!, face.scores, frameTimeMs);
      if (signalled.measured !== undefined) {
        measured.push({ message: { case: "calibrated", value: calibratedMessage(signalled.measured) } });
      }
      return { ...face, faceId: ids[i]!, scores: signalled.scores, calibration: signalled.calibration };
    });
    this.#answered++;
    this.#options.metrics.result(detection.times);
    const value = { ...frameResult(frame, lease!.model, detection, faces), credit: this.#creditBack() };
    this.outbox.push({ message: { case: "result", value } });
    for (const message of measured) this.outbox.push(message);
  }

  /** Drops the frame that failed, or ends the stream when more than the frame did. */
  #failed(frame: Frame, error: unknown): void {
    if (this.#gone) return;
    const drop = dropFrom(error);
    if (drop === undefined) {
      this.outbox.fail(error);
      return;
    }
    if (drop.reason === DropReason.INTERNAL) this.#options.logger.error({ error }, "A frame failed");
    this.#drop(frame, drop);
  }

  #drop(frame: Frame, { reason, detail }: FrameDrop): void {
    const { sequence, captureTime } = frame;
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
    this.#options.metrics.drop(dropName(reason));
    const value = { sequence, reason, detail, ...(captureTime && { captureTime }), credit: this.#creditBack() };
    this.outbox.push({ message: { case: "dropped", value } });
  }

  /** Every answer gives its frame's credit back, until the server is about to stop. */
  #creditBack(): number {
    return this.#goingAway ? 0 : 1;
  }

  /** Tells the caller what answers, when that is news. */
  #announce({ model, resolved, problem }: Lease<ServedModel>, credit: number): void {
    const announced = `${model.name} ${problem ?? ""}`;
    if (announced === this.#announced) return;
    this.#announced = announced;
    if (this.#model !== "" && this.#model !== model.name) this.#signals.modelChanged();
    this.#model = model.name;
    this.outbox.push({
      message: { case: "configured", value: configuredMessage(this.#settings, { model, resolved, problem }, credit) },
    });
  }

  #checkSequence(sequence: bigint): void {
    const last = this.#lastSequence;
    if (last !== undefined && sequence <= last) {
      throw new StreamOrderError("sequence", `Expected a sequence number above ${last}, got ${sequence}`);
    }
    this.#lastSequence = sequence;
  }
}
