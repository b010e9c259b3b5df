import type { RgbImage } from "../image.ts";
import type { ExclusionReason } from "./curation-options.ts";

/** A frame of a video. */
export interface TimedFrame extends RgbImage {
  /** From 0, in the order of presentation. */
  readonly index: number;
  /** Its time in the container, in seconds; undefined when the container has none. */
  readonly timestampS: number | undefined;
}

/** What became of a video when all of it was read. */
export interface VideoReading {
  /** Frames that were decoded. */
  readonly frames: number;
  /** What the decoder met on its way, such as a damaged stretch, and the first of it in its words. */
  readonly errorCount: number;
  readonly errors: readonly string[];
}

/** Reads a video's frames; throws UnusableVideoError. */
export type VideoReader = (path: string, signal?: AbortSignal) => AsyncGenerator<TimedFrame, VideoReading, undefined>;

/** Thrown by a VideoReader when a video cannot be read, or not to its end. */
export class UnusableVideoError extends Error {
  readonly exclusion: ExclusionReason;

  constructor(exclusion: ExclusionReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UnusableVideoError";
    this.exclusion = exclusion;
  }
}

/** How long a frame is taken to be shown where the container does not say. */
const FRAME_S = 1 / 25;
/** Containers count time in ticks: a frame that is this much early is on time. */
const TICK_S = 1e-3;

/**
 * Passes on the first frame of each span of `1 / framesPerSecond` seconds from the first frame's time on, whatever the
 * video's own rate is, and so each of a slower video. Where times jump back, spans begin anew.
 */
export async function* sampleFrames(
  frames: AsyncGenerator<TimedFrame, VideoReading, undefined>,
  framesPerSecond: number,
): AsyncGenerator<TimedFrame, VideoReading, undefined> {
  let firstS: number | undefined;
  let lastS = 0;
  let nextSpan = 0;
  try {
    for (;;) {
      const next = await frames.next();
      if (next.done === true) return next.value;
      const frame = next.value;
      const timeS: number = frame.timestampS ?? (firstS === undefined ? 0 : lastS + FRAME_S);
      if (firstS === undefined || timeS < lastS) {
        firstS = timeS;
        nextSpan = 0;
      }
      lastS = timeS;
      const span = Math.floor((timeS - firstS + TICK_S) * framesPerSecond);
      if (span < nextSpan) continue;
      nextSpan = span + 1;
      yield frame;
    }
  } finally {
    await frames.return({ frames: 0, errorCount: 0, errors: [] });
  }
}
