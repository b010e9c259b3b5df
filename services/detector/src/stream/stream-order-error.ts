import { InvalidFieldError } from "@duchenne/control";

/** Thrown when the messages of a stream do not come in their order. */
export class StreamOrderError extends InvalidFieldError {
  readonly reason = "INVALID_STREAM_ORDER";
}
