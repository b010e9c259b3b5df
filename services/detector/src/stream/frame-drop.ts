import { DropReason } from "@duchenne/proto";

/** Thrown for frames whose turn does not come before the server stops. */
export class GoingAwayError extends Error {
  readonly code = "unavailable";
  readonly reason = "GOING_AWAY";

  constructor() {
    super("The server stopped before this frame's turn came");
    this.name = "GoingAwayError";
  }
}

/** Why a frame is not scored. */
export interface FrameDrop {
  readonly reason: DropReason;
  /** In words, for the caller. */
  readonly detail: string;
}

/** Outcomes of frames by the reason of their error. */
const REASONS: Readonly<Record<string, DropReason>> = {
  IMAGE_TOO_LARGE: DropReason.TOO_LARGE,
  QUEUE_FULL: DropReason.QUEUE_FULL,
  QUEUE_TIMEOUT: DropReason.DEADLINE,
  GOING_AWAY: DropReason.GOING_AWAY,
};

/** The drop that an error comes to; undefined when it is the whole stream's and not one frame's. */
export function dropFrom(error: unknown): FrameDrop | undefined {
  // Errors of ours name their code; those of Node and of the web platform may have numbers.
  if (!(error instanceof Error) || !("code" in error) || !("reason" in error)) {
    return { reason: DropReason.INTERNAL, detail: "The server failed on this frame" };
  }
  const reason = REASONS[String(error.reason)];
  if (reason !== undefined) return { reason, detail: error.message };
  return error.code === "invalid_argument" ? { reason: DropReason.INVALID, detail: error.message } : undefined;
}

const NAMES: ReadonlyMap<DropReason, string> = new Map(
  Object.entries(DropReason).map(([name, reason]) => [reason, name.toLowerCase()]),
);

/** The name of a reason, for metrics. */
export function dropName(reason: DropReason): string {
  return NAMES.get(reason) ?? "unspecified";
}
