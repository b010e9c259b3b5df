import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Calibration, type Frame, FrameSchema, type StreamDetectRequest } from "@duchenne/proto";
import { checkMessage, type Logger } from "@duchenne/rpc";
import { type Detection, type DetectionRequest, FaceTracker, type FoundImage } from "@duchenne/vision";
import type { Context } from "@opentelemetry/api";
import type { CanaryMirror, StreamMirror } from "../canary/canary-mirror.ts";
import { detectionRequestFrom } from "../convert.ts";
import type { FrameMetrics } from "../frame-metrics.ts";
import type { Lease } from "../model-registry.ts";
import type { ServedModel } from "../served-model.ts";
import { createTraceSampler, traceImage } from "../trace-image.ts";
import { calibrationRequest } from "./calibration-message.ts";
import { FrameClock } from "./frame-clock.ts";
import { GoingAwayError } from "./frame-drop.ts";
import { FrameLane, type WorkOptions } from "./frame-lane.ts";
import { type FrameMark, StreamAnswers } from "./stream-answers.ts";
import { StreamOrderError } from "./stream-order-error.ts";
import type { StreamSettings } from "./stream-settings.ts";

/** What a live stream needs of the server. */
export interface LiveStreamOptions {
  readonly metrics: FrameMetrics;
  /** Has frames compared with a canary. */
  readonly mirror: CanaryMirror;
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
  readonly mark: FrameMark;
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

/** One stream between its configuration and its summary. */
export class LiveStream {
  readonly #answers: StreamAnswers;
  readonly #settings: StreamSettings;
  readonly #lease: () => Lease<ServedModel>;
  readonly #options: LiveStreamOptions;
  readonly #clock = new FrameClock();
  readonly #lane: FrameLane<Arrival, Scored>;
  readonly #tracker: FaceTracker;
  readonly #mirror: StreamMirror;
  readonly #isTraced: () => boolean;
  /** Ends the work on frames: the server stops, or the caller is gone. */
  readonly #stop = new AbortController();
  #lastSequence: bigint | undefined;
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
    this.#answers = new StreamAnswers(settings, options, startedMs);
    this.#tracker = new FaceTracker({ detectEvery: settings.detectEvery, memoryMs: options.faceMemoryMs });
    this.#mirror = options.mirror.open();
    this.#isTraced = createTraceSampler(options.traceEveryMs);
    const answers = this.#answers;
    this.#lane = new FrameLane({
      policy: settings.policy,
      maxUnanswered: options.credit,
      work: (arrival, workOptions) => this.#work(arrival, workOptions),
      answer: (arrival, outcome) => this.#answer(arrival, outcome),
      stale({ mark, lease }) {
        answers.stale(mark);
        lease?.release();
      },
      failed: (error) => answers.outbox.fail(error),
    });
    const first = lease();
    answers.announce(first, options.credit);
    first.release();
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
    options.draining.addEventListener("abort", this.#onDraining, { once: true });
    if (options.draining.aborted) this.#onDraining();
  }

  /** The messages to the caller. */
  get outbox(): StreamAnswers["outbox"] {
    return this.#answers.outbox;
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
    this.#mirror.close();
    this.#ending = true;
    this.#gone = true;
    this.outbox.end();
    this.#stop.abort(new GoingAwayError());
  }

  async #take(message: StreamDetectRequest["message"]): Promise<void> {
    switch (message.case) {
      case "frame":
        this.#answers.received();
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
    const { sequence, captureTime } = frame;
    const mark: FrameMark = { sequence, ...(captureTime && { captureTime }) };
    let arrival: Arrival;
    try {
      this.#checkSequence(sequence);
      checkMessage(FrameSchema, frame);
      const request = detectionRequestFrom(frame, outputs, maxFaces);
      const frameTimeMs = this.#clock.next(captureTime === undefined ? Date.now() : timestampMs(captureTime));
      arrival = { mark, request, receivedMs, frameTimeMs };
    } catch (error) {
      return this.#lane.between(() => this.#failed(mark, error));
    }
    return this.#lane.push(arrival);
  }

  #takeCalibration(message: Calibration): Promise<void> {
    const { faceId } = message;
    const lease = this.#lease();
    const request = calibrationRequest(message, lease.model.au.describe());
    lease.release();
    return this.#lane.between(() => this.#answers.calibrate(request, faceId === 0n ? undefined : faceId));
  }

  async #end(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    clearTimeout(this.#graceTimer);
    await this.#lane.settled();
    this.#answers.end();
  }

  readonly #onAbort = (): void => this.abandon();

  /** Tells the caller; the stream goes on for its grace, then what is left is dropped. */
  readonly #onDraining = (): void => {
    const { goingAwayGraceMs, reconnectAfterMs } = this.#options;
    this.#answers.goingAway({ graceMs: goingAwayGraceMs, reconnectAfterMs });
    this.#graceTimer = setTimeout(() => {
      this.#stop.abort(new GoingAwayError());
      void this.#end();
    }, goingAwayGraceMs);
  };

  async #work(arrival: Arrival, { latest, onStart, onScoring }: WorkOptions): Promise<Scored> {
    const { request, receivedMs, frameTimeMs } = arrival;
    const { priority, queueTimeoutMs: timeoutMs } = this.#settings;
    const { signal } = this.#stop;
    signal.throwIfAborted();
    arrival.lease = this.#lease();
    const { au } = arrival.lease.model;
    const scheduling = { stream: this, priority, timeoutMs, signal, receivedMs, frameTimeMs };
    const work = async (): Promise<Scored> => {
      const found = await au.find(request, { ...scheduling, tracker: this.#tracker, latest, onStart });
      return { found, detection: await au.score(found, { ...scheduling, onStart: onScoring }) };
    };
    if (!this.#isTraced()) return work();
    return traceImage(this.#options.traceContext, receivedMs, work, ({ detection }) => detection);
  }

  #answer({ mark, request, lease, frameTimeMs }: Arrival, outcome: PromiseSettledResult<Scored>): void {
    try {
      if (outcome.status === "rejected") {
        this.#failed(mark, outcome.reason);
        return;
      }
      const { found, detection } = outcome.value;
      const faceIds = found.faceIds ?? this.#tracker.update(found, frameTimeMs);
      this.#answers.result({ mark, lease: lease!, detection, faceIds, frameTimeMs });
      if (!this.#gone) this.#mirror.offer({ lease: lease!, request, found, detection });
    } finally {
      lease?.release();
    }
  }

  /** What ends the work on frames of a caller who is gone is nobody's to know. */
  #failed(mark: FrameMark, error: unknown): void {
    if (!this.#gone) this.#answers.failed(mark, error);
  }

  #checkSequence(sequence: bigint): void {
    const last = this.#lastSequence;
    if (last !== undefined && sequence <= last) {
      throw new StreamOrderError("sequence", `Expected a sequence number above ${last}, got ${sequence}`);
    }
    this.#lastSequence = sequence;
  }
}
