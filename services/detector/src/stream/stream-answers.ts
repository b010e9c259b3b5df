import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { DropReason, type Frame, type StreamDetectResponseSchema } from "@duchenne/proto";
import type { Logger } from "@duchenne/rpc";
import { type CalibrationRequest, type Detection, FaceSignals } from "@duchenne/vision";
import { frameResult } from "../convert.ts";
import type { FrameMetrics } from "../frame-metrics.ts";
import type { Lease } from "../model-registry.ts";
import type { ServedModel } from "../served-model.ts";
import { calibratedMessage } from "./calibration-message.ts";
import { configuredMessage } from "./configured-message.ts";
import { dropFrom, dropName, type FrameDrop } from "./frame-drop.ts";
import { Outbox } from "./outbox.ts";
import { StreamAccount } from "./stream-account.ts";
import type { StreamSettings } from "./stream-settings.ts";

/** A message to the caller of a stream. */
export type StreamResponse = MessageInitShape<typeof StreamDetectResponseSchema>;

/** What an answer says of its frame: no more is kept of one that waits for its answer. */
export type FrameMark = Pick<Frame, "sequence" | "captureTime">;

/** A frame's faces, on their way out. */
export interface ScoredFrame {
  readonly mark: FrameMark;
  /** Of the model that scored it. */
  readonly lease: Lease<ServedModel>;
  readonly detection: Detection;
  /** Of its faces, in their order. */
  readonly faceIds: readonly bigint[];
  readonly frameTimeMs: number;
}

/** Answers unread by the caller after which no more frames are read. */
const OUTBOX_CAPACITY = 64;

/** What a stream's caller is told: an answer to every frame, with credit, and news of the model and of the server. */
export class StreamAnswers {
  readonly outbox = new Outbox<StreamResponse>(OUTBOX_CAPACITY);
  readonly #settings: StreamSettings;
  readonly #metrics: FrameMetrics;
  readonly #logger: Logger;
  readonly #account: StreamAccount;
  readonly #signals: FaceSignals;
  /** The model and the problem that the caller was told of last. */
  #announced = "";
  #model = "";
  #goingAway = false;

  /** @param startedMs by performance.now() */
  constructor(
    settings: StreamSettings,
    { metrics, logger }: { readonly metrics: FrameMetrics; readonly logger: Logger },
    startedMs: number,
  ) {
    this.#settings = settings;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#account = new StreamAccount(startedMs);
    this.#signals = new FaceSignals(settings.smoothing);
  }

  /** A frame came, whatever becomes of it. */
  received(): void {
    this.#account.received();
  }

  /** From the next result on. @param faceId undefined: every face */
  calibrate(request: CalibrationRequest, faceId: bigint | undefined): void {
    this.#signals.calibrate(request, faceId);
  }

  /** Tells what answers, when that is news. */
  announce({ model, resolved, problem }: Omit<Lease<ServedModel>, "release">, credit = 0): void {
    const announced = `${model.name} ${resolved.alias} ${problem ?? ""}`;
    if (announced === this.#announced) return;
    this.#announced = announced;
    if (this.#model !== "" && this.#model !== model.name) this.#signals.modelChanged();
    this.#model = model.name;
    const value = configuredMessage(this.#settings, { model, resolved, problem }, credit);
    this.outbox.push({ message: { case: "configured", value } });
  }

  result({ mark, lease, detection, faceIds, frameTimeMs }: ScoredFrame): void {
    this.announce(lease);
    const measured: StreamResponse[] = [];
    const faces = detection.faces.map((face, i) => {
      const faceId = faceIds[i]!;
      const signalled = this.#signals.next(faceId, face.scores, frameTimeMs);
      if (signalled.measured !== undefined) {
        measured.push({ message: { case: "calibrated", value: calibratedMessage(signalled.measured) } });
      }
      return { ...face, faceId, scores: signalled.scores, calibration: signalled.calibration };
    });
    this.#account.answered();
    this.#metrics.result(detection.times);
    const value = { ...frameResult(mark, lease.model, detection, faces), credit: this.#creditBack() };
    this.outbox.push({ message: { case: "result", value } });
    for (const message of measured) this.outbox.push(message);
  }

  /** Drops the frame that failed, or ends the stream when more than the frame did. */
  failed(mark: FrameMark, error: unknown): void {
    const drop = dropFrom(error);
    if (drop === undefined) {
      this.outbox.fail(error);
      return;
    }
    if (drop.reason === DropReason.INTERNAL) this.#logger.error({ error }, "A frame failed");
    this.#drop(mark, drop);
  }

  stale(mark: FrameMark): void {
    this.#drop(mark, { reason: DropReason.STALE, detail: "A newer frame came before its turn" });
  }

  /** The server is about to stop. */
  goingAway({ graceMs, reconnectAfterMs }: { readonly graceMs: number; readonly reconnectAfterMs: number }): void {
    this.#goingAway = true;
    const value = { reconnectAfter: durationFromMs(reconnectAfterMs), grace: durationFromMs(graceMs) };
    this.outbox.push({ message: { case: "goingAway", value } });
  }

  /** The summary, and nothing after it. */
  end(): void {
    this.outbox.push({ message: { case: "summary", value: this.#account.summary() } });
    this.outbox.end();
  }

  #drop({ sequence, captureTime }: FrameMark, { reason, detail }: FrameDrop): void {
    this.#account.dropped(reason);
    this.#metrics.drop(dropName(reason));
    const value = { sequence, reason, detail, ...(captureTime && { captureTime }), credit: this.#creditBack() };
    this.outbox.push({ message: { case: "dropped", value } });
  }

  /** Every answer gives its frame's credit back, until the server is about to stop. */
  #creditBack(): number {
    return this.#goingAway ? 0 : 1;
  }
}
