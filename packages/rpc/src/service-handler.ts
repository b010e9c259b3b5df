import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Call, CallContext, CallHandler } from "./call.ts";

/** A unary method: one request, one response. */
export type UnaryMethod<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  context: CallContext,
) => Promise<MessageInitShape<O>> | MessageInitShape<O>;

/** A server-streaming method: one request, many responses. */
export type ServerStreamingMethod<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  context: CallContext,
) => AsyncIterable<MessageInitShape<O>>;

/** A client-streaming method: many requests, one response. */
export type ClientStreamingMethod<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  context: CallContext,
) => Promise<MessageInitShape<O>>;

/** A bidirectional method: many requests, many responses. Returning early ends the call. */
export type BidiStreamingMethod<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  context: CallContext,
) => AsyncIterable<MessageInitShape<O>>;

/** The function that implements a method. */
export type MethodImplementation<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? UnaryMethod<I, O>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? ServerStreamingMethod<I, O>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? ClientStreamingMethod<I, O>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? BidiStreamingMethod<I, O>
          : never;

/** The functions that implement a service: one for every method, by its local name. */
export type ServiceImplementation<S extends DescService> = {
  [P in keyof S["method"]]: MethodImplementation<S["method"][P]>;
};

/** A service with its implementation, ready to be served on any transport. */
export interface ServiceHandler {
  /** The service's descriptor. */
  readonly service: DescService;
  /** How each method answers a call, by the method's local name; interceptors not included. */
  readonly methods: ReadonlyMap<string, CallHandler>;
}

type LooseMethod = (request: never, context: CallContext) => unknown;

/**
 * Binds an implementation to its service.
 *
 *     const detector = serviceHandler(DetectorService, {
 *       async detectFaces(request, context) { return { faces: await detect(request.image, context.signal) }; },
 *       async *streamDetect(requests, context) { for await (const request of requests) yield answer(request); },
 *     });
 */
export function serviceHandler<S extends DescService>(
  service: S,
  implementation: ServiceImplementation<S>,
): ServiceHandler {
  const functions: Readonly<Record<string, LooseMethod>> = implementation as Record<string, LooseMethod>;
  const methods = new Map<string, CallHandler>();
  for (const method of service.methods) {
    const implement = functions[method.localName];
    if (implement === undefined) throw new TypeError(`Expected ${service.typeName} to implement ${method.name}`);
    // Methods of a class keep their `this`.
    methods.set(method.localName, callHandlerFor(method, implement.bind(implementation) as LooseMethod));
  }
  return { service, methods };
}

function callHandlerFor(method: DescMethod, implement: LooseMethod): CallHandler {
  const response = (init: unknown): Message => create(method.output, init as MessageInitShape<DescMessage>);
  switch (method.methodKind) {
    case "unary":
      return async function* (call) {
        yield response(await implement((await onlyRequest(call)) as never, call.context));
      };
    case "client_streaming":
      return async function* (call) {
        yield response(await implement(call.requests as never, call.context));
      };
    case "server_streaming":
      return async function* (call) {
        const request = (await onlyRequest(call)) as never;
        for await (const init of implement(request, call.context) as AsyncIterable<unknown>) yield response(init);
      };
    case "bidi_streaming":
      return async function* (call) {
        const responses = implement(call.requests as never, call.context) as AsyncIterable<unknown>;
        for await (const init of responses) yield response(init);
      };
  }
}

async function onlyRequest(call: Call): Promise<Message> {
  let only: Message | undefined;
  for await (const request of call.requests) {
    if (only !== undefined) throw new ConnectError("Expected one request message, got more", Code.Unimplemented);
    only = request;
  }
  if (only === undefined) throw new ConnectError("Expected one request message, got none", Code.Unimplemented);
  return only;
}
