import { Code } from "@connectrpc/connect";
import { isSpanContextValid, trace } from "@opentelemetry/api";
import type { Interceptor } from "../call.ts";
import { toStatus } from "../errors.ts";
import type { Logger } from "../logger.ts";

/** Turns whatever a handler throws into a status. Unexpected errors are logged in full and sent without their text. */
export function errorInterceptor(logger: Logger): Interceptor {
  return (next) =>
    async function* (call) {
      const { signal, method, traceContext } = call.context;
      try {
        yield* next(call);
      } catch (error) {
        const spanContext = trace.getSpanContext(traceContext);
        const traced = spanContext !== undefined && isSpanContextValid(spanContext);
        const { status, unexpected } = toStatus(error, {
          signal,
          ...(traced ? { traceId: spanContext.traceId } : {}),
        });
        const attributes = { method: `${method.parent.typeName}/${method.name}`, error };
        if (unexpected) {
          trace.getSpan(traceContext)?.recordException(error instanceof Error ? error : new Error(String(error)));
          logger.error(attributes, "Unexpected error in a call");
        } else if (status.code === Code.Internal || status.code === Code.DataLoss || status.code === Code.Unknown) {
          logger.error(attributes, "Call failed");
        } else {
          logger.debug(attributes, "Call refused");
        }
        throw status;
      }
    };
}
