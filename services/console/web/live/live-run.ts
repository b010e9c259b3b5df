import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { type CalibrationInput, type FrameInput, type StreamAnswer, streamSession } from "@duchenne/client/browser";
import type { DetectorService, StreamConfigurationSchema } from "@duchenne/proto";
import { CAMERA_ENDED, type Failure, failureOfCall, failureOfCamera } from "./failure.ts";
import { FrameFeed } from "./frame-feed.ts";
import { isConnected, type LiveEvent, type LiveState, nextState } from "./live-state.ts";

/** What a live view does, and whom it tells. */
export interface LiveRunOptions {
  readonly detector: Client<typeof DetectorService>;
  /** Opens the camera; its frames end with the signal, or with the camera. */
  readonly openCamera: (signal: AbortSignal) => Promise<AsyncIterable<FrameInput>>;
  /** Read for each session. */
  readonly configuration: () => MessageInitShape<typeof StreamConfigurationSchema>;
  readonly onState: (state: LiveState) => void;
  /** What is calibrated while it is told of `configured` stands before the session's first frame. */
  readonly onAnswer: (answer: StreamAnswer) => void;
}

/** Why a session is over that ended in good order. */
const ENDED: Failure = {
  kind: "session-ended",
  title: "The session has ended",
  advice: "A new one is being opened.",
  detail: "The server has closed it.",
  passes: true,
};

/** A camera whose frames go to one session after the other, until it is stopped. */
export class LiveRun {
  readonly #options: LiveRunOptions;
  #state: LiveState = { phase: "off" };
  #stopping = new AbortController();
  #session = new AbortController();
  #feed = new FrameFeed();
  #retry: () => void = () => {};

  constructor(options: LiveRunOptions) {
    this.#options = options;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Opens the camera and a session; does nothing while one is open. */
  start(): void {
    const before = this.#state;
    this.#dispatch({ type: "start" });
    if (this.#state === before) return;
    this.#stopping = new AbortController();
    void this.#run(this.#stopping);
  }

  /** Closes session and camera. */
  stop(): void {
    this.#dispatch({ type: "stop" });
    this.#stopping.abort();
  }

  /** Connects now instead of later. */
  retry(): void {
    this.#retry();
  }

  /** Opens another session with the configuration that is now, if one is open. */
  restart(): void {
    if (!isConnected(this.#state)) return;
    this.#dispatch({ type: "restart" });
    this.#session.abort();
    this.#retry();
  }

  /** Sends a calibration; see FrameFeed. */
  calibrate(calibration: CalibrationInput["calibration"]): void {
    this.#feed.calibrate(calibration);
  }

  #dispatch(event: LiveEvent): void {
    const state = nextState(this.#state, event);
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }

  async #run(stopping: AbortController): Promise<void> {
    let frames: AsyncIterable<FrameInput>;
    try {
      frames = await this.#options.openCamera(stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) this.#dispatch({ type: "camera-failed", failure: failureOfCamera(error) });
      return;
    }
    this.#dispatch({ type: "camera-opened" });
    void this.#feedFrom(frames, stopping);
    while (!stopping.signal.aborted) {
      await this.#oneSession(stopping.signal);
      if (this.#state.phase === "waiting") await this.#untilRetry(this.#state.untilMs, stopping.signal);
      else if (this.#state.phase !== "connecting") break;
    }
    // Without a session the camera's light must not stay on.
    stopping.abort();
  }

  async #feedFrom(frames: AsyncIterable<FrameInput>, stopping: AbortController): Promise<void> {
    let failure = CAMERA_ENDED;
    try {
      for await (const frame of frames) this.#feed.push(frame);
    } catch (error) {
      failure = failureOfCamera(error);
    }
    if (stopping.signal.aborted) return;
    this.#dispatch({ type: "camera-failed", failure });
    stopping.abort();
  }

  async #oneSession(stopped: AbortSignal): Promise<void> {
    const session = new AbortController();
    this.#session = session;
    this.#feed = new FrameFeed();
    const { detector, configuration, onAnswer } = this.#options;
    const signal = AbortSignal.any([stopped, session.signal]);
    let failure = ENDED;
    try {
      for await (const answer of streamSession({ detector }, this.#feed, configuration(), { signal })) {
        if (signal.aborted) return;
        if (answer.case === "configured") this.#dispatch({ type: "configured" });
        if (answer.case === "goingAway") {
          const { reconnectAfter } = answer.value;
          this.#dispatch({ type: "going-away", reconnectAfterMs: reconnectAfter ? durationMs(reconnectAfter) : 0 });
        }
        onAnswer(answer);
      }
    } catch (error) {
      failure = failureOfCall(error);
    }
    if (!signal.aborted) this.#dispatch({ type: "ended", failure, nowMs: Date.now() });
  }

  #untilRetry(atMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#retry = () => {};
        this.#dispatch({ type: "retry" });
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, atMs - Date.now()));
      signal.addEventListener("abort", done, { once: true });
      this.#retry = done;
    });
  }
}
