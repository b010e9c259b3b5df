import { randomBytes } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Calibration,
  type Frame,
  FramePolicy,
  PushRefusal,
  type StreamConfiguration,
  type StreamConfiguredSchema,
  type StreamDetectRequest,
  StreamDetectRequestSchema,
  type StreamSummarySchema,
} from "@duchenne/proto";
import type { Context } from "@opentelemetry/api";
import type { StreamResponse } from "../stream/stream-answers.ts";
import { AnswerLog, type NumberedAnswer } from "./answer-log.ts";
import { RequestFeed } from "./request-feed.ts";
import { SessionBusyError, SessionEndedError } from "./session-errors.ts";

/** What a session has of the call that opened it and of its server. */
export interface SessionCall {
  /** Aborts when nobody can be answered any more. */
  readonly signal: AbortSignal;
  /** Aborts when the server is about to stop. */
  readonly draining: AbortSignal;
  /** Holds the span of the call that opened the session. */
  readonly traceContext: Context;
}

/** Answers a stream of requests: `configured` first, the summary last. */
export type AnswerRequests = (
  requests: AsyncIterable<StreamDetectRequest>,
  call: SessionCall,
) => AsyncGenerator<StreamResponse, void, undefined>;

/** How sessions are kept. */
export interface LiveSessionOptions {
  readonly answer: AnswerRequests;
  /** Requests that may wait to be read by the stream. */
  readonly maxWaiting: number;
  /** Answers that are kept for watchers, in bytes. */
  readonly bufferBytes: number;
  /** How long without a push, a calibration or a watcher until it ends; one that ended is kept for as long again. */
  readonly idleMs: number;
}

/** What became of a push. */
export interface PushOutcome {
  readonly accepted: boolean;
  readonly refusal: PushRefusal;
  readonly credit: number;
}

type RequestInit = MessageInitShape<typeof StreamDetectRequestSchema>["message"];
type Configured = MessageInitShape<typeof StreamConfiguredSchema>;
type Summary = MessageInitShape<typeof StreamSummarySchema>;

/** A live stream whose requests come one call at a time, and whose answers wait for those who watch. */
export class LiveSession {
  /** Nobody guesses it: knowing it is what allows to push and to watch. */
  readonly name = `sessions/${randomBytes(16).toString("base64url")}`;
  readonly #options: LiveSessionOptions;
  readonly #draining: AbortSignal;
  readonly #forget: (session: LiveSession) => void;
  readonly #feed: RequestFeed<StreamDetectRequest>;
  readonly #log: AnswerLog;
  readonly #stop = new AbortController();
  #pumping: Promise<void> = Promise.resolve();
  #latestWins = false;
  #credit = 0;
  #watchers = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  /** Why it takes no more requests. */
  #closing: string | undefined;
  #ended = false;
  #error: { readonly error: unknown } | undefined;
  #summary: Summary | undefined;

  private constructor(options: LiveSessionOptions, draining: AbortSignal, forget: (session: LiveSession) => void) {
    this.#options = options;
    this.#draining = draining;
    this.#forget = forget;
    this.#feed = new RequestFeed(options.maxWaiting);
    this.#log = new AnswerLog(options.bufferBytes);
  }

  /**
   * Opens a session; rejects with what a stream of this configuration would end with.
   *
   * @param forget told when the session need not be kept any longer
   */
  static async open(
    configuration: StreamConfiguration,
    { draining, traceContext }: Omit<SessionCall, "signal">,
    options: LiveSessionOptions,
    forget: (session: LiveSession) => void,
  ): Promise<{ readonly session: LiveSession; readonly configured: Configured }> {
    const session = new LiveSession(options, draining, forget);
    void session.#send({ case: "configuration", value: configuration });
    const answers = options.answer(session.#feed, { signal: session.#stop.signal, draining, traceContext });
    const { value } = await answers.next();
    if (value?.message?.case !== "configured") throw new SessionEndedError("the server stopped");
    const configured = value.message.value;
    session.#latestWins = configured.policy === FramePolicy.LATEST_WINS;
    session.#credit = configured.credit ?? 0;
    session.#pumping = session.#pump(answers);
    draining.addEventListener("abort", session.#onDraining, { once: true });
    if (draining.aborted) session.#onDraining();
    session.#rest();
    return { session, configured };
  }

  /** Whether everything was answered that ever will be. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @throws {SessionEndedError} */
  push(frame: Frame): PushOutcome {
    this.#expectOpen();
    this.#rest();
    const accepted = this.#feed.hasRoom && (this.#latestWins || this.#credit > 0);
    if (accepted) {
      this.#credit--;
      void this.#send({ case: "frame", value: frame });
    }
    const refusal = accepted ? PushRefusal.UNSPECIFIED : PushRefusal.NO_CREDIT;
    return { accepted, refusal, credit: Math.max(this.#credit, 0) };
  }

  /**
   * Resolves when the calibration has its place among the frames.
   *
   * @throws {SessionEndedError}
   * @throws {SessionBusyError}
   */
  async calibrate(calibration: Calibration): Promise<void> {
    this.#expectOpen();
    this.#rest();
    if (!this.#feed.hasRoom) throw new SessionBusyError(this.#options.maxWaiting);
    await this.#send({ case: "calibration", value: calibration });
    if (this.#error !== undefined) throw this.#error.error;
  }

  /** The answers after a number, until the session or the signal ends; see AnswerLog.watch. */
  async *watch(after: bigint, signal: AbortSignal): AsyncGenerator<NumberedAnswer, void, undefined> {
    this.#watchers++;
    this.#rest();
    try {
      yield* this.#log.watch(after, signal);
    } finally {
      this.#watchers--;
      this.#rest();
    }
  }

  /** Takes no more requests; resolves when all that came were answered. Rejects with what ended the session before. */
  async close(): Promise<Summary> {
    this.#halfClose("it was closed");
    await this.#pumping;
    if (this.#error !== undefined) throw this.#error.error;
    if (this.#summary === undefined) throw new SessionEndedError("the server stopped");
    return this.#summary;
  }

  /** Ends now; what is in work is thrown away. */
  async abandon(): Promise<void> {
    this.#halfClose("the server stopped");
    this.#stop.abort();
    await this.#pumping;
    clearTimeout(this.#idleTimer);
  }

  #send(message: RequestInit): Promise<void> {
    return this.#feed.push(create(StreamDetectRequestSchema, { message: message! }));
  }

  #halfClose(why: string): void {
    this.#closing ??= why;
    this.#feed.end();
  }

  /** A server that stops takes no more calls: what is in work is the last. */
  readonly #onDraining = (): void => this.#halfClose("the server is about to stop");

  #expectOpen(): void {
    if (this.#closing !== undefined) throw new SessionEndedError(this.#closing);
  }

  async #pump(answers: AsyncIterable<StreamResponse>): Promise<void> {
    try {
      for await (const response of answers) this.#answered(response);
    } catch (error) {
      this.#error = { error };
    }
    this.#ended = true;
    this.#closing ??= "of an error, which WatchSession and CloseSession tell";
    this.#draining.removeEventListener("abort", this.#onDraining);
    this.#feed.abandon();
    this.#log.end(this.#error);
    this.#rest();
  }

  #answered(response: StreamResponse): void {
    const { message } = response;
    if (message?.case === "result" || message?.case === "dropped") this.#credit += message.value.credit ?? 0;
    if (message?.case === "summary") this.#summary = message.value;
    this.#log.append(response);
  }

  /** Counts the time without anybody from now on. */
  #rest(): void {
    clearTimeout(this.#idleTimer);
    if (this.#watchers > 0) return;
    const { idleMs } = this.#options;
    this.#idleTimer = setTimeout(() => {
      if (this.#ended) this.#forget(this);
      else this.#halfClose(`nobody pushed, calibrated or watched for ${idleMs / 1000} s`);
    }, idleMs).unref();
  }
}
