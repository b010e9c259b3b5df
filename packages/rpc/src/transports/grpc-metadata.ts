import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "@duchenne/proto/rpc";
import { Metadata, type StatusObject } from "@grpc/grpc-js";

/** Header fields of gRPC metadata. Values of keys that end in `-bin` become base64. */
export function headersFromMetadata(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const key of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(key)) {
      headers.append(key, typeof value === "string" ? value : value.toString("base64"));
    }
  }
  return headers;
}

/** gRPC metadata of header fields. Values of keys that end in `-bin` are base64, several parted by commas. */
export function metadataFromHeaders(headers: Headers): Metadata {
  const metadata = new Metadata();
  headers.forEach((value, key) => {
    if (!key.endsWith("-bin")) metadata.add(key, value);
    else for (const part of value.split(",")) metadata.add(key, Buffer.from(part.trim(), "base64"));
  });
  return metadata;
}

/** The status grpc-js sends for an error, with its details in grpc-status-details-bin. */
export function grpcStatus(error: ConnectError, trailer: Headers): StatusObject {
  const metadata = metadataFromHeaders(trailer);
  error.metadata.forEach((value, key) => {
    metadata.set(key, key.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  });
  if (error.details.length > 0) {
    const details = error.details.map((detail) =>
      "desc" in detail
        ? anyPack(detail.desc, create(detail.desc, detail.value))
        : {
            $typeName: "google.protobuf.Any" as const,
            typeUrl: `type.googleapis.com/${detail.type}`,
            value: detail.value,
          },
    );
    const status = create(StatusSchema, { code: error.code, message: error.rawMessage, details });
    metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, status)));
  }
  // The two number the codes alike.
  const code: number = error.code;
  return { code, details: error.rawMessage.toWellFormed(), metadata };
}
