/** Thrown when not one frame of a file can be read. */
export class UnreadableVideoError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "UNREADABLE_VIDEO";
  readonly violations: readonly { field: string; description: string }[];

  constructor(path: string, why: readonly string[]) {
    const description = `Expected a video with at least one frame that can be decoded, got ${path}: ${why.join("; ") || "it has none"}`;
    super(description);
    this.name = "UnreadableVideoError";
    this.violations = [{ field: "video", description }];
  }
}

/** Thrown when the frames of a video have more pixels than are accepted. */
export class VideoTooLargeError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "VIDEO_TOO_LARGE";
  readonly violations: readonly { field: string; description: string }[];

  constructor(maxSide: number, width: number, height: number) {
    const description = `Expected a video of at most ${maxSide} pixels a side, got ${width}x${height}`;
    super(description);
    this.name = "VideoTooLargeError";
    this.violations = [{ field: "video", description }];
  }
}

/** Thrown when ffmpeg's process ended before it had read the file: nobody knows what is left of it. */
export class FfmpegEndedError extends Error {
  readonly code = "internal";
  readonly reason = "FFMPEG_ENDED";

  constructor(how: string, frames: number, why: readonly string[]) {
    super(`Expected ffmpeg to read the whole video, it ${how} after ${frames} frames. ${why.join("; ")}`.trim());
    this.name = "FfmpegEndedError";
  }
}
