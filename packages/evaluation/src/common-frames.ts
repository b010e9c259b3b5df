import type { FrameScores } from "./frame-scores.ts";

type OfFrames = Pick<FrameScores, "frames">;

/** Where versions can be evaluated whose trainings did not hold the same frames out. */
export const ON_UNSEEN_FRAMES = "both on all frames of a data set that neither has seen (--split all)";

/** Thrown when two evaluations are of frames that cannot be compared. */
export class FramesDifferError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "FRAMES_DIFFER";

  constructor(message: string) {
    super(message);
    this.name = "FramesDifferError";
  }
}

/** Thrown when two evaluations have no frame in common that a comparison could be on. */
export class NoCommonFrameError extends FramesDifferError {
  /** @param which frames, such as "of anger, joy"; all by default */
  constructor(before: OfFrames, after: OfFrames, which = "") {
    super(
      `Expected frames${which === "" ? "" : ` ${which}`} that both evaluations have, got none (the first has ${before.frames.length} frames, the second ${after.frames.length}). Evaluate ${ON_UNSEEN_FRAMES}`,
    );
    this.name = "NoCommonFrameError";
  }
}

/** Where the frames stand that two evaluations have in common: row i of the one is the same frame as row i of the other. */
export interface CommonFrames {
  /** In the order of the first. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Finds the frames that two evaluations of the same data set have in common. @throws {NoCommonFrameError} */
export function commonFrames(before: OfFrames, after: OfFrames): CommonFrames {
  const rowAfter = new Map(Array.from(after.frames, (frame, row) => [frame, row] as const));
  const rows = { before: [] as number[], after: [] as number[] };
  for (const [row, frame] of before.frames.entries()) {
    const other = rowAfter.get(frame);
    if (other === undefined) continue;
    rows.before.push(row);
    rows.after.push(other);
  }
  if (rows.before.length === 0) throw new NoCommonFrameError(before, after);
  return rows;
}

/** True when two evaluations of the same data set are of the same frames, in the same order. */
export function hasSameFrames(before: OfFrames, after: OfFrames): boolean {
  return before.frames.length === after.frames.length && before.frames.every((frame, i) => frame === after.frames[i]);
}
