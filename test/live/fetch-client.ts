import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { DetectorService } from "@duchenne/proto";
import { ErrorInfoSchema } from "@duchenne/proto/rpc";

/** How messages are written. */
export type WireFormat = "json" | "proto";

/** An error as Connect tells it. */
export class CallError extends Error {
  readonly code: string;
  readonly reason: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;

  constructor({ code, message, details = [] }: ErrorBody) {
    super(message);
    this.code = code;
    const info = details.find(({ type }) => type === "google.rpc.ErrorInfo");
    const { reason, metadata } = info
      ? fromBinary(ErrorInfoSchema, Buffer.from(info.value, "base64"))
      : { reason: undefined, metadata: {} };
    this.reason = reason;
    this.metadata = metadata;
  }
}

interface ErrorBody {
  readonly code: string;
  readonly message?: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
}

const END_OF_STREAM = 2;

/** Calls the detector as a page does, with nothing but fetch. */
export function fetchClient(connectPort: number, format: WireFormat) {
  const encode = <D extends DescMessage>(schema: D, init: MessageInitShape<D>): Uint8Array<ArrayBuffer> => {
    const message = create(schema, init);
    return new Uint8Array(
      format === "json" ? Buffer.from(JSON.stringify(toJson(schema, message))) : toBinary(schema, message),
    );
  };
  const decode = <D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> =>
    format === "json" ? fromJson(schema, parse(bytes) as JsonValue) : fromBinary(schema, bytes);
  const post = (method: DescMethod, contentType: string, body: Uint8Array<ArrayBuffer>, signal?: AbortSignal) =>
    fetch(`http://127.0.0.1:${connectPort}/${DetectorService.typeName}/${method.name}`, {
      method: "POST",
      headers: { "content-type": contentType, "connect-protocol-version": "1" },
      body,
      ...(signal && { signal }),
    });

  return {
    /** @throws {CallError} */
    async call<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      request: MessageInitShape<I>,
    ): Promise<MessageShape<O>> {
      const response = await post(method, `application/${format}`, encode(method.input, request));
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (!response.ok) throw new CallError(parse(bytes) as ErrorBody);
      return decode(method.output, bytes);
    },

    /** @throws {CallError} */
    async *stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodServerStreaming<I, O>,
      request: MessageInitShape<I>,
      signal?: AbortSignal,
    ): AsyncGenerator<MessageShape<O>, void, undefined> {
      const body = encode(method.input, request);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(body.length, 1);
      const enveloped = new Uint8Array(Buffer.concat([head, body]));
      const response = await post(method, `application/connect+${format}`, enveloped, signal);
      let rest = Buffer.alloc(0);
      for await (const chunk of response.body!) {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
          const flags = rest[0]!;
          const bytes = rest.subarray(5, 5 + rest.readUInt32BE(1));
          rest = rest.subarray(5 + bytes.length);
          if (flags !== END_OF_STREAM) {
            yield decode(method.output, bytes);
            continue;
          }
          const { error } = parse(bytes) as { readonly error?: ErrorBody };
          if (error !== undefined) throw new CallError(error);
          return;
        }
      }
      throw new Error("Expected the stream to say that it has ended");
    },
  };
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
