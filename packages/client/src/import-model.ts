import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ImportModelRequestSchema, ImportModelResponse, ImportOptionsSchema } from "@duchenne/proto";
import type { DuchenneClient } from "./duchenne-client.ts";

/** How a file is sent. */
export interface ImportModelOptions {
  readonly signal?: AbortSignal;
  /** Told after each chunk: bytes sent, and of how many. */
  readonly onProgress?: (sentBytes: number, sizeBytes: number) => void;
}

const CHUNK_BYTES = 2 ** 20;

/**
 * Sends a file of weights, which becomes a version. The file is read twice: its digest is told first, so that the server
 * takes no other bytes.
 *
 *     const options = { model: "models/published", protocol: DatasetProtocol.BP4D };
 *     const { modelVersion, report } = await importModel(client, "checkpoint-29.pth", options);
 */
export async function importModel(
  { models }: DuchenneClient,
  path: string,
  options: Omit<MessageInitShape<typeof ImportOptionsSchema>, "$typeName" | "fileName" | "sizeBytes" | "sha256">,
  { signal, onProgress }: ImportModelOptions = {},
): Promise<ImportModelResponse> {
  const { size } = await stat(path);
  const sha256 = await sha256Of(path);
  async function* requests(): AsyncGenerator<MessageInitShape<typeof ImportModelRequestSchema>> {
    const value = { ...options, fileName: basename(path), sizeBytes: BigInt(size), sha256 };
    yield { message: { case: "options", value } };
    let sent = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      const bytes = new Uint8Array(chunk as Buffer);
      yield { message: { case: "chunk", value: bytes } };
      sent += bytes.length;
      onProgress?.(sent, size);
    }
  }
  return models.importModel(requests(), signal === undefined ? {} : { signal });
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
