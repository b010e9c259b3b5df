import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { ImportModelRequest, ImportOptions } from "@duchenne/proto";
import { InvalidFieldError } from "../invalid-field-error.ts";

/** Thrown when an upload's messages are not options first, then chunks. */
export class UploadOrderError extends InvalidFieldError {
  readonly reason = "INVALID_STREAM_ORDER";

  constructor(description: string) {
    super("message", description);
  }
}

/** Thrown when an upload is not of the size or digest that its options tell. */
export class UploadMismatchError extends InvalidFieldError {
  readonly reason = "UPLOAD_MISMATCH";
}

/** Thrown when a file is larger than the server takes. */
export class UploadTooLargeError extends Error {
  readonly code = "resource_exhausted";
  readonly reason = "UPLOAD_TOO_LARGE";

  constructor(maxBytes: number, bytes: bigint | number) {
    super(`Expected a file of at most ${maxBytes} bytes, got ${bytes}${typeof bytes === "number" ? " and more" : ""}`);
    this.name = "UploadTooLargeError";
  }
}

/** A file as it arrived. */
export interface Upload {
  readonly options: ImportOptions;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/**
 * Writes an upload to a file, chunk by chunk, as fast as the disk takes them.
 *
 * @param check looks at the options before the first byte is written; what it throws ends the upload
 * @throws {UploadOrderError} @throws {UploadTooLargeError} @throws {UploadMismatchError}
 */
export async function receiveUpload(
  requests: AsyncIterable<ImportModelRequest>,
  {
    path,
    maxBytes,
    check,
  }: { readonly path: string; readonly maxBytes: number; readonly check: (options: ImportOptions) => void },
): Promise<Upload> {
  const hash = createHash("sha256");
  const file = await open(path, "wx");
  let options: ImportOptions | undefined;
  let sizeBytes = 0;
  try {
    for await (const { message } of requests) {
      if (options === undefined) {
        if (message.case !== "options") throw new UploadOrderError("Expected the options first, got a chunk");
        options = message.value;
        if (options.sizeBytes > BigInt(maxBytes)) throw new UploadTooLargeError(maxBytes, options.sizeBytes);
        check(options);
      } else {
        if (message.case !== "chunk")
          throw new UploadOrderError("Expected chunks after the options, got options again");
        sizeBytes += message.value.length;
        if (sizeBytes > maxBytes) throw new UploadTooLargeError(maxBytes, sizeBytes);
        hash.update(message.value);
        await file.writeFile(message.value);
      }
    }
  } finally {
    await file.close();
  }
  if (options === undefined) throw new UploadOrderError("Expected the options first, got no message");
  if (sizeBytes === 0) throw new UploadOrderError("Expected chunks after the options, got none");
  const sha256 = hash.digest("hex");
  if (options.sizeBytes !== 0n && BigInt(sizeBytes) !== options.sizeBytes) {
    throw new UploadMismatchError("options.size_bytes", `Expected ${options.sizeBytes} bytes, got ${sizeBytes}`);
  }
  if (options.sha256 !== "" && options.sha256 !== sha256) {
    throw new UploadMismatchError("options.sha256", `Expected a file of sha256 ${options.sha256}, got ${sha256}`);
  }
  return { options, sizeBytes, sha256 };
}
