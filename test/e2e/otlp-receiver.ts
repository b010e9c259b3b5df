import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A span as it was received; ids in hexadecimal, empty when not set. */
export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** A collector for tests. */
export interface OtlpReceiver {
  /** The base to give as OTLP endpoint. */
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Resolves with the spans so far as soon as they satisfy `test`. */
  until(test: (spans: readonly ReceivedSpan[]) => boolean): Promise<readonly ReceivedSpan[]>;
  close(): Promise<void>;
}

/** Starts an OTLP/HTTP receiver of protobuf traces on a free port. Metrics are accepted and dropped. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
      if (request.url === "/v1/traces") spans.push(...readExport(body));
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
      for (const check of waiting) check();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    until: (test) =>
      new Promise((resolve) => {
        const check = () => {
          if (!test(spans)) return;
          waiting.delete(check);
          resolve([...spans]);
        };
        waiting.add(check);
        check();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Fields = Map<number, Uint8Array[]>;

/** The length-delimited fields of a message; the others are passed over. */
function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields: Fields = new Map();
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited) {
      const known = fields.get(field) ?? [];
      known.push(reader.bytes());
      fields.set(field, known);
    } else {
      reader.skip(wireType, field);
    }
  }
  return fields;
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("utf8");
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

// Field numbers of opentelemetry/proto/collector/trace/v1 and trace/v1.
function readExport(bytes: Uint8Array): ReceivedSpan[] {
  return (fieldsOf(bytes).get(1) ?? []).flatMap((resourceSpans) => {
    const parts = fieldsOf(resourceSpans);
    const service = serviceName(parts.get(1)?.[0]);
    return (parts.get(2) ?? [])
      .flatMap((scopeSpans) => fieldsOf(scopeSpans).get(2) ?? [])
      .map((span): ReceivedSpan => {
        const fields = fieldsOf(span);
        return {
          service,
          name: text(fields.get(5)?.[0]),
          traceId: hex(fields.get(1)?.[0]),
          spanId: hex(fields.get(2)?.[0]),
          parentSpanId: hex(fields.get(4)?.[0]),
          links: (fields.get(13) ?? []).map(fieldsOf).map((link) => ({
            traceId: hex(link.get(1)?.[0]),
            spanId: hex(link.get(2)?.[0]),
          })),
        };
      });
  });
}

function serviceName(resource: Uint8Array | undefined): string {
  for (const attribute of resource === undefined ? [] : (fieldsOf(resource).get(1) ?? [])) {
    const pair = fieldsOf(attribute);
    if (text(pair.get(1)?.[0]) === "service.name") {
      return text(fieldsOf(pair.get(2)?.[0] ?? new Uint8Array()).get(1)?.[0]);
    }
  }
  return "";
}
