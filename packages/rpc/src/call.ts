import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { Context } from "@opentelemetry/api";
import type { Principal } from "./principal.ts";

/** The protocol a call came in by. */
export type ProtocolName = "grpc" | "grpc-web" | "connect";

/** What a handler knows of its call, the same on every transport. */
export interface CallContext {
  /** The method called, with its service in `parent`. */
  readonly method: DescMethod;
  /** The protocol the call came in by. */
  readonly protocol: ProtocolName;
  /** The metadata the client sent. Values of keys that end in `-bin` are base64. */
  readonly requestHeader: Headers;
  /** The metadata sent before the first response message; later changes are lost. */
  readonly responseHeader: Headers;
  /** The metadata sent after the last response message. */
  readonly responseTrailer: Headers;
  /** Aborts when the client cancels or goes away, when the deadline passes and when the server is forced to stop. */
  readonly signal: AbortSignal;
  /** Aborts when the server begins to stop: a stream without an end of its own should come to one soon. */
  readonly draining: AbortSignal;
  /** When the call must be answered, by the client's timeout or the server's cap; undefined when neither is set. */
  readonly deadline: Date | undefined;
  /** The client's address and port, such as "127.0.0.1:53412"; "unknown" when the transport does not tell. */
  readonly peer: string;
  /** Who calls. An authenticating interceptor sets it; undefined for an unauthenticated caller. */
  principal: Principal | undefined;
  /** The OpenTelemetry context of the call: holds the server span. Active while the handler runs. */
  traceContext: Context;
}

/** One call on its way through the interceptors: a unary request is a stream of one message. */
export interface Call {
  readonly context: CallContext;
  readonly requests: AsyncIterable<Message>;
}

/** Answers a call. A unary response is a stream of one message. */
export type CallHandler = (call: Call) => AsyncIterable<Message>;

/**
 * Wraps the handling of every call on every transport.
 *
 *     const countCalls: Interceptor = (next) =>
 *       async function* (call) {
 *         calls += 1;
 *         yield* next(call);
 *       };
 */
export type Interceptor = (next: CallHandler) => CallHandler;

/** Chains interceptors around a handler; the first one is the outermost. */
export function chainInterceptors(interceptors: readonly Interceptor[], handler: CallHandler): CallHandler {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), handler);
}
