import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Interceptor } from "../call.ts";
import { checkMessage } from "../check-message.ts";

/** Checks every request message, each one of a stream too, against its protovalidate rules. */
export function validationInterceptor(): Interceptor {
  return (next) => (call) =>
    next({ context: call.context, requests: validated(call.requests, call.context.method.input) });
}

async function* validated(requests: AsyncIterable<Message>, schema: DescMessage): AsyncIterable<Message> {
  for await (const request of requests) {
    checkMessage(schema, request);
    yield request;
  }
}
