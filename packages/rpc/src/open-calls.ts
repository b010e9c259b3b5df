import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import type { Call, CallContext, CallHandler, ProtocolName } from "./call.ts";
import type { RpcLimits } from "./limits.ts";

/** What a transport knows of a call when it begins. */
export interface CallStart {
  readonly method: DescMethod;
  readonly protocol: ProtocolName;
  readonly requestHeader: Headers;
  readonly responseHeader: Headers;
  readonly responseTrailer: Headers;
  readonly peer: string;
  /** When the client gives up, in milliseconds since 1970; undefined when it did not say. */
  readonly clientDeadlineMs: number | undefined;
}

/** A call in flight, as its transport holds it. */
export interface OpenCall {
  readonly context: CallContext;
  /** The responses to these requests, through the interceptors. */
  answer(requests: AsyncIterable<Message>): AsyncIterable<Message>;
  /** The client is gone: aborts the call as cancelled, or as timed out when its deadline has passed. */
  cancel(): void;
  /** The transport has sent everything. Must be called once for every call. */
  finish(): void;
}

/** The calls in flight on a server, whatever their transport. */
export interface OpenCalls {
  open(start: CallStart, handler: CallHandler): OpenCall;
  /** Tells every call that the server is about to stop; resolves when none is left. */
  drain(): Promise<void>;
  /** Aborts every call as unavailable. */
  abort(): void;
}

// A longer setTimeout fires at once.
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Creates the book of calls in flight; `intercept` wraps each method's handler in the server's interceptors. */
export function createOpenCalls(limits: RpcLimits, intercept: (handler: CallHandler) => CallHandler): OpenCalls {
  const controllers = new Set<AbortController>();
  const draining = new AbortController();
  const intercepted = new WeakMap<CallHandler, CallHandler>();
  let onEmpty: (() => void) | undefined;

  return {
    open(start, handler) {
      const controller = new AbortController();
      controllers.add(controller);
      const deadlineMs = deadlineOf(start, limits);
      const timeoutMs = deadlineMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, deadlineMs - Date.now());
      const expire = () => controller.abort(new ConnectError("Deadline exceeded", Code.DeadlineExceeded));
      const timer = timeoutMs <= MAX_TIMEOUT_MS ? setTimeout(expire, timeoutMs) : undefined;
      const context: CallContext = {
        method: start.method,
        protocol: start.protocol,
        requestHeader: start.requestHeader,
        responseHeader: start.responseHeader,
        responseTrailer: start.responseTrailer,
        peer: start.peer,
        signal: controller.signal,
        draining: draining.signal,
        deadline: deadlineMs === undefined ? undefined : new Date(deadlineMs),
        principal: undefined,
        traceContext: ROOT_CONTEXT,
      };
      let answer = intercepted.get(handler);
      if (answer === undefined) {
        answer = intercept(handler);
        intercepted.set(handler, answer);
      }
      const chain = answer;
      let finished = false;
      return {
        context,
        answer: (requests) => chain({ context, requests } satisfies Call),
        cancel() {
          if (finished) return;
          if (deadlineMs !== undefined && Date.now() >= deadlineMs) expire();
          else controller.abort(new ConnectError("Cancelled by the client", Code.Canceled));
        },
        finish() {
          finished = true;
          clearTimeout(timer);
          controllers.delete(controller);
          if (controllers.size === 0) onEmpty?.();
        },
      };
    },
    async drain() {
      draining.abort();
      if (controllers.size > 0) await new Promise<void>((resolve) => (onEmpty = resolve));
    },
    abort() {
      const reason = new ConnectError("The server is stopping", Code.Unavailable);
      for (const controller of controllers) controller.abort(reason);
    },
  };
}

function deadlineOf(start: CallStart, limits: RpcLimits): number | undefined {
  const unary = start.method.methodKind === "unary";
  const capMs = unary ? limits.maxUnaryDurationMs : limits.maxStreamDurationMs;
  const capped = capMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + capMs;
  const deadlineMs = Math.min(start.clientDeadlineMs ?? Number.POSITIVE_INFINITY, capped);
  return Number.isFinite(deadlineMs) ? deadlineMs : undefined;
}
