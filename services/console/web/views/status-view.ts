import type { Failure } from "../live/failure.ts";
import type { LiveState } from "../live/live-state.ts";
import type { PhotographState } from "../live/photograph-run.ts";
import { byId, write } from "./elements.ts";

/** What the page says about its state: a word at the top, and what went wrong over the picture. */
export interface StatusView {
  show(status: PageStatus): void;
}

/** The state of what the stage shows. */
export type PageStatus = LiveState | PhotographState;

/** Makes it from the page's elements. @param onAgain told when the user wants another try */
export function createStatusView(onAgain: () => void): StatusView {
  const pill = byId("status", HTMLElement);
  const pillText = byId("status-text", HTMLElement);
  const panel = byId("failure", HTMLElement);
  const title = byId("failure-title", HTMLElement);
  const advice = byId("failure-advice", HTMLElement);
  const detail = byId("failure-detail", HTMLElement);
  const countdown = byId("failure-countdown", HTMLElement);
  const again = byId("failure-again", HTMLButtonElement);
  const main = byId("main", HTMLElement);
  let ticking: ReturnType<typeof setInterval> | undefined;
  again.addEventListener("click", onAgain);

  function showFailure(failure: Failure, untilMs: number | undefined): void {
    write(title, failure.title);
    write(advice, failure.advice);
    write(detail, failure.detail);
    write(again, failure.passes ? "Try now" : "Try again");
    clearInterval(ticking);
    const tick = () => write(countdown, untilMs === undefined ? "" : countdownInWords(untilMs - Date.now()));
    tick();
    if (untilMs !== undefined) ticking = setInterval(tick, 250);
    panel.hidden = false;
  }

  return {
    show(status) {
      pill.dataset.phase = status.phase;
      write(pillText, statusInWords(status));
      const isWaiting = status.phase === "waiting" || status.phase === "connecting";
      main.dataset.stale = String(isWaiting || status.phase === "failed");
      if (status.phase === "failed") {
        showFailure(status.failure, undefined);
      } else if (status.phase === "waiting" && status.untilMs > Date.now()) {
        showFailure(status.failure, status.untilMs);
      } else if (status.phase !== "connecting" || status.attempt === 0) {
        // An attempt after a failure leaves that in its place: it would only flicker.
        clearInterval(ticking);
        panel.hidden = true;
      }
    },
  };
}

function countdownInWords(leftMs: number): string {
  const seconds = Math.ceil(leftMs / 1000);
  return seconds <= 0 ? "Trying now" : `Trying again in ${seconds} s`;
}

function statusInWords(status: PageStatus): string {
  switch (status.phase) {
    case "off":
      return "Ready";
    case "asking":
      return "Waiting for the camera";
    case "connecting":
      return status.attempt === 0 ? "Connecting" : "Connecting again";
    case "live":
      return "Live";
    case "going-away":
      return "The server is about to stop";
    case "waiting":
      return status.failure.title;
    case "failed":
      return status.failure.title;
    case "scoring":
      return "Scoring the photograph";
    case "scored":
      return "Photograph";
  }
}
