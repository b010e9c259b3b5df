import type { Readable } from "node:stream";
import { type DescMethod, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  Metadata,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { CallHandler } from "../call.ts";
import type { OpenCall, OpenCalls } from "../open-calls.ts";
import type { ServiceHandler } from "../service-handler.ts";
import { grpcStatus, headersFromMetadata, metadataFromHeaders } from "./grpc-metadata.ts";

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;
type WritableCall = ServerWritableStream<Buffer, Buffer>;
type ReadableCall = ServerReadableStream<Buffer, Buffer>;
type DuplexCall = ServerDuplexStream<Buffer, Buffer>;
type AnyCall = UnaryCall | WritableCall | ReadableCall | DuplexCall;
type Respond = (error: ReturnType<typeof grpcStatus> | null, value?: Buffer, trailer?: Metadata) => void;

/**
 * A service for grpc-js. Messages pass grpc-js as bytes: they are parsed and serialised here, so that a message that
 * cannot be is refused, logged and traced like every other error.
 */
export function grpcService(
  handler: ServiceHandler,
  calls: OpenCalls,
): { definition: ServiceDefinition; implementation: UntypedServiceImplementation } {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: Record<string, UntypedHandleCall> = {};
  for (const method of handler.service.methods) {
    const answer = handler.methods.get(method.localName);
    if (answer === undefined) continue;
    const requestStream = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
    const responseStream = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
    definition[method.name] = {
      path: `/${handler.service.typeName}/${method.name}`,
      requestStream,
      responseStream,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    implementation[method.name] = responseStream
      ? (call: WritableCall | DuplexCall) => void serveStream(call, method, answer, calls)
      : (call: UnaryCall | ReadableCall, respond: Respond) => void serveSingle(call, respond, method, answer, calls);
  }
  return { definition, implementation };
}

const identity = (bytes: Buffer): Buffer => bytes;

/** One response: unary and client-streaming methods. */
async function serveSingle(
  grpcCall: UnaryCall | ReadableCall,
  respond: Respond,
  method: DescMethod,
  handler: CallHandler,
  calls: OpenCalls,
): Promise<void> {
  const call = openCall(grpcCall, method, handler, calls);
  try {
    let response: Buffer | undefined;
    for await (const message of call.answer(requestsOf(grpcCall, method, call))) response = serialise(method, message);
    if (call.context.signal.aborted) return;
    if (response === undefined) throw new ConnectError("Expected a response, got none", Code.Internal);
    sendHeader(grpcCall, call);
    respond(null, response, metadataFromHeaders(call.context.responseTrailer));
  } catch (error) {
    respond(grpcStatus(ConnectError.from(error, Code.Internal), call.context.responseTrailer));
  } finally {
    call.finish();
  }
}

/** Many responses: server-streaming and bidirectional methods. Waits whenever the client does not keep up. */
async function serveStream(
  grpcCall: WritableCall | DuplexCall,
  method: DescMethod,
  handler: CallHandler,
  calls: OpenCalls,
): Promise<void> {
  const call = openCall(grpcCall, method, handler, calls);
  const { signal } = call.context;
  let headerSent = false;
  try {
    for await (const message of call.answer(requestsOf(grpcCall, method, call))) {
      if (!headerSent) sendHeader(grpcCall, call);
      headerSent = true;
      if (!grpcCall.write(serialise(method, message))) await drained(grpcCall, signal);
    }
    if (!headerSent) sendHeader(grpcCall, call);
    grpcCall.end(metadataFromHeaders(call.context.responseTrailer));
  } catch (error) {
    // grpc-js takes the status of a stream from its error event.
    grpcCall.emit("error", grpcStatus(ConnectError.from(error, Code.Internal), call.context.responseTrailer));
  } finally {
    call.finish();
  }
}

function openCall(grpcCall: AnyCall, method: DescMethod, handler: CallHandler, calls: OpenCalls): OpenCall {
  const deadline = Number(grpcCall.getDeadline());
  const call = calls.open(
    {
      method,
      protocol: "grpc",
      requestHeader: headersFromMetadata(grpcCall.metadata),
      responseHeader: new Headers(),
      responseTrailer: new Headers(),
      peer: grpcCall.getPeer(),
      clientDeadlineMs: Number.isFinite(deadline) ? deadline : undefined,
    },
    handler,
  );
  const events: NodeJS.EventEmitter = grpcCall;
  events.on("cancelled", () => call.cancel());
  if (grpcCall.cancelled) call.cancel();
  return call;
}

async function* requestsOf(grpcCall: AnyCall, method: DescMethod, call: OpenCall): AsyncIterable<Message> {
  if ("request" in grpcCall) {
    yield parse(method, grpcCall.request);
    return;
  }
  const readable: Readable = grpcCall;
  const { signal } = call.context;
  try {
    // Leaving the loop early must not destroy the stream: the response is still to be written.
    for await (const bytes of readable.iterator({ destroyOnReturn: false })) yield parse(method, bytes);
  } catch (error) {
    // A cancelled call is a destroyed stream, which reads as closed too early.
    throw signal.aborted ? signal.reason : error;
  }
}

function sendHeader(grpcCall: AnyCall, call: OpenCall): void {
  const metadata = metadataFromHeaders(call.context.responseHeader);
  if (Object.keys(metadata.getMap()).length > 0) grpcCall.sendMetadata(metadata);
}

function parse(method: DescMethod, bytes: Buffer): Message {
  try {
    // Not the Buffer itself: handlers get plain Uint8Array fields on every transport.
    return fromBinary(method.input, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    const message = `Expected a ${method.input.typeName}: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConnectError(message, Code.InvalidArgument);
  }
}

function serialise(method: DescMethod, message: Message): Buffer {
  const bytes = toBinary(method.output, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function drained(stream: WritableCall | DuplexCall, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      stream.off("drain", onDrain);
      signal.removeEventListener("abort", onAbort);
    };
    const onDrain = () => {
      settle();
      resolve();
    };
    const onAbort = () => {
      settle();
      reject(signal.reason);
    };
    if (signal.aborted) onAbort();
    stream.on("drain", onDrain);
    signal.addEventListener("abort", onAbort);
  });
}
