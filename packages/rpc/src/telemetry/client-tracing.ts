import type { Interceptor, StreamResponse, UnaryResponse } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { context, propagation, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { codeName } from "../code-name.ts";
import { SCOPE } from "./spans.ts";

/**
 * An interceptor for Connect clients on any transport: opens a CLIENT span for every call and sends its traceparent.
 * A stream's span ends with its last response.
 *
 *     createGrpcTransport({ baseUrl, interceptors: [clientTracing()] })
 */
export function clientTracing(): Interceptor {
  return (next) => async (request) => {
    const method = `${request.service.typeName}/${request.method.name}`;
    const span = trace.getTracer(SCOPE).startSpan(method, {
      kind: SpanKind.CLIENT,
      attributes: { "rpc.system.name": "grpc", "rpc.method": method, "server.address": new URL(request.url).hostname },
    });
    const callContext = trace.setSpan(context.active(), span);
    propagation.inject(callContext, request.header, { set: (header, key, value) => header.set(key, value) });
    try {
      const response: UnaryResponse | StreamResponse = await context.with(callContext, () => next(request));
      if (!response.stream) {
        endSpan(span, undefined);
        return response;
      }
      return { ...response, message: endWith(response.message, span) };
    } catch (error) {
      endSpan(span, error);
      throw error;
    }
  };
}

async function* endWith<T>(messages: AsyncIterable<T>, span: Span): AsyncIterable<T> {
  let failure: unknown;
  try {
    yield* messages;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    endSpan(span, failure);
  }
}

function endSpan(span: Span, failure: unknown): void {
  const code = failure === undefined ? undefined : ConnectError.from(failure).code;
  span.setAttribute("rpc.status_code", code === undefined ? "OK" : codeName(code));
  if (code !== undefined && code !== Code.Canceled) {
    span.setAttribute("error.type", codeName(code));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}
