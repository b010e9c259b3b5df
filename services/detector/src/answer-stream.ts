import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { InvalidFieldError } from "@duchenne/control";
import {
  DropReason,
  type Frame,
  FramePolicy,
  type StreamConfiguration,
  type StreamDetectRequest,
  type StreamDetectResponseSchema,
} from "@duchenne/proto";
import type { Detection } from "@duchenne/vision";
import type { Context } from "@opentelemetry/api";
import { detectionRequestFrom, frameResult, resolvedModelMessage } from "./convert.ts";
import type { FrameMetrics } from "./frame-metrics.ts";
import { mapInOrder } from "./map-in-order.ts";
import type { Lease, ModelRegistry } from "./model-registry.ts";
import type { ServedModel } from "./served-model.ts";
import { createTraceSampler, traceImage } from "./trace-image.ts";

type Response = MessageInitShape<typeof StreamDetectResponseSchema>;

/** Thrown when the messages of a stream do not come in their order. */
export class StreamOrderError extends InvalidFieldError {
  readonly reason = "INVALID_STREAM_ORDER";
}

/** What a stream is answered with. */
export interface AnswerStreamOptions {
  readonly registry: ModelRegistry<ServedModel>;
  readonly metrics: FrameMetrics;
  /** Frames in work at once. */
  readonly framesPerStream: number;
  readonly defaultMaxFaces: number;
  /** How often a frame is traced with its stages. */
  readonly traceEveryMs: number;
  /** Holds the stream's span. */
  readonly traceContext: Context;
  readonly signal: AbortSignal;
}

type Answer = { readonly lease: Lease<ServedModel>; readonly response: Response };

/**
 * Answers a stream: `configured`, one answer for every frame in order, `summary`. When the alias it follows moves,
 * `configured` is sent again before the first frame that the new version answers. A frame that cannot be scored is
 * dropped with its reason, and the stream goes on.
 *
 * @throws {StreamOrderError} when the configuration is not first, or comes twice
 */
export async function* answerStream(
  requests: AsyncIterable<StreamDetectRequest>,
  options: AnswerStreamOptions,
): AsyncGenerator<Response, void, undefined> {
  const startedAt = performance.now();
  const iterator = requests[Symbol.asyncIterator]();
  const configuration = await readConfiguration(iterator);
  const maxFaces = configuration.maxFaces || options.defaultMaxFaces;
  const following = await options.registry.follow(configuration.model);
  const counts = { framesReceived: 0n, framesAnswered: 0n, framesDropped: 0n };
  const problemOf = createSequenceCheck();
  const isTraced = createTraceSampler(options.traceEveryMs);

  const score = async ({ au }: ServedModel, frame: Frame): Promise<Detection> => {
    const problem = problemOf(frame.sequence);
    if (problem !== undefined) throw problem;
    const request = detectionRequestFrom(frame, configuration.outputs, maxFaces, options.signal);
    return isTraced() ? traceImage(options.traceContext, () => au.run(request)) : au.run(request);
  };
  const answer = async (frame: Frame): Promise<Answer> => {
    counts.framesReceived++;
    const lease = following.lease();
    try {
      const detection = await score(lease.model, frame);
      counts.framesAnswered++;
      options.metrics.result(detection.times);
      return { lease, response: { message: { case: "result", value: frameResult(frame, lease.model, detection) } } };
    } catch (error) {
      const response = dropOf(frame, error);
      if (response === undefined) {
        lease.release();
        throw error;
      }
      counts.framesDropped++;
      options.metrics.drop("invalid");
      return { lease, response };
    }
  };

  try {
    const first = following.lease();
    yield configured(first, maxFaces);
    first.release();
    let announced = first.resolved.version;
    for await (const { lease, response } of mapInOrder(framesOf(iterator), options.framesPerStream, answer)) {
      try {
        if (lease.resolved.version !== announced) {
          announced = lease.resolved.version;
          yield configured(lease, maxFaces);
        }
        yield response;
      } finally {
        lease.release();
      }
    }
    const duration = durationFromMs(Math.round(performance.now() - startedAt));
    yield { message: { case: "summary", value: { ...counts, duration } } };
  } finally {
    following.close();
  }
}

async function readConfiguration(iterator: AsyncIterator<StreamDetectRequest>): Promise<StreamConfiguration> {
  const first = await iterator.next();
  if (first.done === true) throw new StreamOrderError("configuration", "Expected a configuration, got an empty stream");
  const { message } = first.value;
  if (message.case === "configuration") return message.value;
  throw new StreamOrderError("configuration", `Expected the configuration first, got a ${message.case}`);
}

async function* framesOf(iterator: AsyncIterator<StreamDetectRequest>): AsyncGenerator<Frame> {
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return;
    const { message } = next.value;
    if (message.case !== "frame") {
      throw new StreamOrderError("configuration", "Expected frames after the configuration, got another configuration");
    }
    yield message.value;
  }
}

/** The answer to a frame that the caller got wrong; undefined for a failure of ours. */
function dropOf({ sequence, captureTime }: Frame, error: unknown): Response | undefined {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "invalid_argument") return undefined;
  const tooLarge = "reason" in error && error.reason === "IMAGE_TOO_LARGE";
  const reason = tooLarge ? DropReason.TOO_LARGE : DropReason.INVALID;
  return {
    message: {
      case: "dropped",
      value: { sequence, reason, detail: error.message, ...(captureTime && { captureTime }) },
    },
  };
}

function configured({ model, resolved }: Lease<ServedModel>, maxFaces: number): Response {
  return {
    message: {
      case: "configured",
      value: {
        model: resolvedModelMessage(model, resolved.alias),
        policy: FramePolicy.EVERY_FRAME,
        maxFaces,
        warnings: [...model.au.describe().warnings],
      },
    },
  };
}

/** Finds frames whose number does not grow. */
function createSequenceCheck(): (sequence: bigint) => StreamOrderError | undefined {
  let last: bigint | undefined;
  return (sequence) => {
    if (last !== undefined && sequence <= last) {
      return new StreamOrderError("sequence", `Expected a sequence number above ${last}, got ${sequence}`);
    }
    last = sequence;
    return undefined;
  };
}
