import { InvalidFieldError } from "@duchenne/control";

/** Thrown for a session that there is not, or not any more. */
export class SessionNotFoundError extends Error {
  readonly code = "not_found";
  readonly reason = "SESSION_NOT_FOUND";

  constructor(session: string) {
    super(`Expected a session that is open or ended a short while ago, got "${session}"`);
    this.name = "SessionNotFoundError";
  }
}

/** Thrown when as many sessions are open as may be. */
export class TooManySessionsError extends Error {
  readonly code = "resource_exhausted";
  readonly reason = "TOO_MANY_SESSIONS";

  constructor(maxSessions: number) {
    super(`Expected at most ${maxSessions} sessions open on one server; close one first, or use another server`);
    this.name = "TooManySessionsError";
  }
}

/** Thrown for what is sent to a session that takes no more. */
export class SessionEndedError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "SESSION_ENDED";

  /** @param why what ended it, such as "it was closed" */
  constructor(why: string) {
    super(`Expected an open session; this one has ended: ${why}`);
    this.name = "SessionEndedError";
  }
}

/** Thrown when more requests of one session wait than may. */
export class SessionBusyError extends Error {
  readonly code = "resource_exhausted";
  readonly reason = "SESSION_BUSY";

  constructor(maxWaiting: number) {
    super(`Expected at most ${maxWaiting} requests of one session to wait; try again when a frame was answered`);
    this.name = "SessionBusyError";
  }
}

/** Thrown when answers that a watcher asks for are no longer kept. */
export class AnswersGoneError extends Error {
  readonly code = "out_of_range";
  readonly reason = "ANSWERS_GONE";
  readonly metadata: Readonly<Record<string, string>>;

  /** @param firstAfter the lowest number after which all answers are kept */
  constructor(after: bigint, firstAfter: bigint) {
    super(`Expected to go on after ${firstAfter} or later, got ${after}: the answers in between are no longer kept`);
    this.name = "AnswersGoneError";
    this.metadata = { first_after: String(firstAfter) };
  }
}

/** Thrown when a watcher has seen a number that was not answered. */
export class AnswerNumberError extends InvalidFieldError {
  readonly reason = "UNKNOWN_ANSWER_NUMBER";
}

/** Thrown for a push without a frame. */
export class MissingFrameError extends InvalidFieldError {
  readonly reason = "MISSING_FRAME";
}
