import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@duchenne/proto/rpc";

/** What went wrong, as a person is told. */
export interface Failure {
  readonly kind:
    | "server-away"
    | "session-ended"
    | "busy"
    | "no-model"
    | "refused"
    | "camera-refused"
    | "camera-missing"
    | "camera-busy"
    | "camera-ended"
    | "insecure-page"
    | "unreadable-picture"
    | "unexpected";
  /** In a few words. */
  readonly title: string;
  /** What the reader can do about it. */
  readonly advice: string;
  /** What the other side said, word for word. */
  readonly detail: string;
  /** Whether trying again, without changing anything, may help. */
  readonly passes: boolean;
}

/** Statuses of a server that cannot be reached, was stopped or is on its way back; browsers tell little more. */
const AWAY: readonly Code[] = [Code.Unavailable, Code.Unknown, Code.Internal, Code.Canceled, Code.Aborted];

/** What a failed call means. */
export function failureOfCall(error: unknown): Failure {
  const failed = ConnectError.from(error);
  const reason = failed.findDetails(ErrorInfoSchema)[0]?.reason;
  const detail = failed.rawMessage;
  if (reason === "SESSION_NOT_FOUND" || reason === "SESSION_ENDED") {
    return {
      kind: "session-ended",
      title: "The session has ended",
      advice: "A new one is being opened.",
      detail,
      passes: true,
    };
  }
  if (AWAY.includes(failed.code)) {
    return {
      kind: "server-away",
      title: "The server does not answer",
      advice: "It may be starting again. Nothing needs to be done if it comes back by itself.",
      detail,
      passes: true,
    };
  }
  if (failed.code === Code.ResourceExhausted || failed.code === Code.DeadlineExceeded) {
    return {
      kind: "busy",
      title: "The server is busy",
      advice: "It has as much to do as it takes. Another try follows.",
      detail,
      passes: true,
    };
  }
  if (failed.code === Code.NotFound || failed.code === Code.FailedPrecondition) {
    return {
      kind: "no-model",
      title: "No such model is ready",
      advice: "Choose another model, or promote a version that can be loaded.",
      detail,
      passes: false,
    };
  }
  return {
    kind: "refused",
    title: "The server refused",
    advice: "Choose other settings and start again.",
    detail,
    passes: false,
  };
}

const CAMERA_FAILURES: Readonly<Record<string, Pick<Failure, "kind" | "title" | "advice">>> = {
  NotAllowedError: {
    kind: "camera-refused",
    title: "The camera was not allowed",
    advice: "Allow it in the browser's address bar and start again, or open a photograph instead.",
  },
  NotFoundError: {
    kind: "camera-missing",
    title: "No camera was found",
    advice: "Connect one and start again, or open a photograph instead.",
  },
  NotReadableError: {
    kind: "camera-busy",
    title: "The camera cannot be used",
    advice: "Another program may be using it. Close that one and start again.",
  },
  InsecurePageError: {
    kind: "insecure-page",
    title: "Browsers give this page no camera",
    advice: "Open it over https://, or on the machine itself as http://localhost. Photographs work here, too.",
  },
};

/** Thrown where browsers give a page no camera: it came over a network without protection. */
export class InsecurePageError extends Error {
  constructor() {
    super("This address is not a secure context.");
    this.name = "InsecurePageError";
  }
}

/** What it means that a camera could not be opened. */
export function failureOfCamera(error: unknown): Failure {
  const { name = "", message = String(error) } = error instanceof Error ? error : {};
  const known = CAMERA_FAILURES[name === "OverconstrainedError" ? "NotFoundError" : name];
  if (known !== undefined) return { ...known, detail: message, passes: false };
  return {
    kind: "unexpected",
    title: "The camera could not be opened",
    advice: "Start again, or open a photograph instead.",
    detail: message,
    passes: false,
  };
}

/** A camera that was unplugged, or taken away in the browser. */
export const CAMERA_ENDED: Failure = {
  kind: "camera-ended",
  title: "The camera has stopped",
  advice: "Connect it again, or allow it again, and start.",
  detail: "Its track has ended.",
  passes: false,
};

/** A file that is no picture that this browser can show. */
export function failureOfPicture(name: string): Failure {
  return {
    kind: "unreadable-picture",
    title: "That file is not a picture",
    advice: "Choose a photograph, such as a JPEG or PNG.",
    detail: name,
    passes: false,
  };
}
