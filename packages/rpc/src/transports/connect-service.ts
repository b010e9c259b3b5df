import type { DescService, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createContextKey,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import type { CallHandler, ProtocolName } from "../call.ts";
import type { OpenCall, OpenCalls } from "../open-calls.ts";
import type { ServiceHandler } from "../service-handler.ts";

/** The context value in which the HTTP server leaves the caller's address. */
export const peerKey = createContextKey<string>("unknown", { description: "address of the caller" });

/** Adds a service to a Connect router. */
export function addConnectService(router: ConnectRouter, handler: ServiceHandler, calls: OpenCalls): void {
  const implementation: Record<string, unknown> = {};
  for (const method of handler.service.methods) {
    const answer = handler.methods.get(method.localName);
    if (answer === undefined) continue;
    switch (method.methodKind) {
      case "unary":
        implementation[method.localName] = (request: Message, context: HandlerContext) =>
          single(one(request), context, answer, calls);
        break;
      case "client_streaming":
        implementation[method.localName] = (requests: AsyncIterable<Message>, context: HandlerContext) =>
          single(requests, context, answer, calls);
        break;
      case "server_streaming":
        implementation[method.localName] = (request: Message, context: HandlerContext) =>
          stream(one(request), context, answer, calls);
        break;
      case "bidi_streaming":
        implementation[method.localName] = (requests: AsyncIterable<Message>, context: HandlerContext) =>
          stream(requests, context, answer, calls);
        break;
    }
  }
  router.service(handler.service, implementation as Partial<ServiceImpl<DescService>>);
}

async function* one(request: Message): AsyncIterable<Message> {
  yield request;
}

async function single(
  requests: AsyncIterable<Message>,
  context: HandlerContext,
  handler: CallHandler,
  calls: OpenCalls,
): Promise<Message> {
  const call = openCall(context, handler, calls);
  try {
    let response: Message | undefined;
    for await (const message of call.answer(requests)) response = message;
    if (response === undefined) throw new ConnectError("Expected a response, got none", Code.Internal);
    return response;
  } finally {
    call.finish();
  }
}

async function* stream(
  requests: AsyncIterable<Message>,
  context: HandlerContext,
  handler: CallHandler,
  calls: OpenCalls,
): AsyncIterable<Message> {
  const call = openCall(context, handler, calls);
  try {
    yield* call.answer(requests);
  } finally {
    call.finish();
  }
}

function openCall(context: HandlerContext, handler: CallHandler, calls: OpenCalls): OpenCall {
  const timeoutMs = context.timeoutMs();
  const call = calls.open(
    {
      method: context.method,
      protocol: protocolOf(context.protocolName),
      requestHeader: context.requestHeader,
      responseHeader: context.responseHeader,
      responseTrailer: context.responseTrailer,
      peer: context.values.get(peerKey),
      clientDeadlineMs: timeoutMs === undefined ? undefined : Date.now() + timeoutMs,
    },
    handler,
  );
  // Connect also aborts its signal when a call ends well; by then the call is finished and does not care.
  context.signal.addEventListener("abort", () => call.cancel(), { once: true });
  if (context.signal.aborted) call.cancel();
  return call;
}

function protocolOf(name: string): ProtocolName {
  return name === "grpc" || name === "grpc-web" ? name : "connect";
}
