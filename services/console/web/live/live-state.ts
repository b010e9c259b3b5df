import type { Failure } from "./failure.ts";

/** Where a live view stands. */
export type LiveState =
  | { readonly phase: "off" }
  /** The browser asks whether the page may use the camera. */
  | { readonly phase: "asking" }
  | { readonly phase: "connecting"; readonly attempt: number }
  | { readonly phase: "live" }
  /** The server said that it is about to stop; what is in work is still answered. */
  | { readonly phase: "going-away"; readonly reconnectAfterMs: number }
  /** Connects again at a time, or when told to. */
  | { readonly phase: "waiting"; readonly attempt: number; readonly untilMs: number; readonly failure: Failure }
  /** Goes on only when the user does something. */
  | { readonly phase: "failed"; readonly failure: Failure };

/** What happens to a live view. */
export type LiveEvent =
  | { readonly type: "start" }
  | { readonly type: "camera-opened" }
  | { readonly type: "configured" }
  | { readonly type: "going-away"; readonly reconnectAfterMs: number }
  /** The session ended, with a failure or in good order. */
  | { readonly type: "ended"; readonly failure: Failure; readonly nowMs: number }
  | { readonly type: "retry" }
  /** Another session is opened in the place of this one, with other settings. */
  | { readonly type: "restart" }
  | { readonly type: "camera-failed"; readonly failure: Failure }
  | { readonly type: "stop" };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/** How long until the next attempt: twice as long each time. @param attempt from 0 */
export function waitBefore(attempt: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
}

/** The state after an event; the same state where the event has no meaning. */
export function nextState(state: LiveState, event: LiveEvent): LiveState {
  switch (event.type) {
    case "stop":
      return { phase: "off" };
    case "start":
      return state.phase === "off" || state.phase === "failed" ? { phase: "asking" } : state;
    case "camera-failed":
      return state.phase === "off" ? state : { phase: "failed", failure: event.failure };
    case "camera-opened":
      return state.phase === "asking" ? { phase: "connecting", attempt: 0 } : state;
    case "configured":
      return state.phase === "connecting" ? { phase: "live" } : state;
    case "going-away":
      return state.phase === "live" ? { phase: "going-away", reconnectAfterMs: event.reconnectAfterMs } : state;
    case "restart":
      return isConnected(state) ? { phase: "connecting", attempt: 0 } : state;
    case "retry":
      return state.phase === "waiting" ? { phase: "connecting", attempt: state.attempt } : state;
    case "ended":
      return afterEnd(state, event.failure, event.nowMs);
  }
}

/** Whether there is a camera and, soon, a session. */
export function isConnected({ phase }: LiveState): boolean {
  return phase === "connecting" || phase === "live" || phase === "going-away" || phase === "waiting";
}

function afterEnd(state: LiveState, failure: Failure, nowMs: number): LiveState {
  if (!isConnected(state)) return state;
  if (!failure.passes) return { phase: "failed", failure };
  if (state.phase === "going-away") {
    return { phase: "waiting", attempt: 1, untilMs: nowMs + state.reconnectAfterMs, failure };
  }
  const attempt = state.phase === "connecting" || state.phase === "waiting" ? state.attempt : 0;
  // A session that was live and is gone needs no pause: the server has told so, and is there.
  const waitMs = state.phase === "live" && failure.kind === "session-ended" ? 0 : waitBefore(attempt);
  return { phase: "waiting", attempt: attempt + 1, untilMs: nowMs + waitMs, failure };
}
