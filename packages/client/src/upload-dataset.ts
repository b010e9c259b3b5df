import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CreateDatasetUploadRequestSchema, Dataset } from "@duchenne/proto";
import { ErrorInfoSchema } from "@duchenne/proto/rpc";
import { AWAY } from "./away.ts";
import type { DuchenneClient } from "./duchenne-client.ts";

/** A zip that can be sent from any place on. Its bytes are the same each time it is read. */
export interface DatasetArchive {
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** Its bytes from an offset to its end. */
  read(offset: number): AsyncIterable<Uint8Array>;
}

/** How an archive is sent. */
export interface UploadDatasetOptions {
  readonly signal?: AbortSignal;
  /** How long a server may be away before the upload fails; default 60 s. */
  readonly reconnectMs?: number;
  /** Told at the start, which may be in the middle, and after each chunk: bytes that the server has, and of how many. */
  readonly onProgress?: (committedBytes: number, sizeBytes: number) => void;
}

const CHUNK_BYTES = 2 ** 20;

/** A zip on this machine's disk. It is read twice: its digest is told first. */
export async function archiveFile(path: string): Promise<DatasetArchive> {
  const { size } = await stat(path);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) hash.update(chunk as Buffer);
  return {
    sizeBytes: size,
    sha256: hash.digest("hex"),
    read: (offset) => createReadStream(path, { start: offset, highWaterMark: CHUNK_BYTES }),
  };
}

/**
 * Sends an archive, which becomes a data set. What the server has already is not sent again: after any interruption, of
 * this program too, call it again with the same archive and options. A server that is away for some seconds is waited for.
 *
 *     const dataset = await uploadDataset(client, await archiveFile("faces.zip"), { datasetId: "faces" });
 *
 * @throws {ConnectError} with every problem of the labels
 */
export async function uploadDataset(
  { datasets }: Pick<DuchenneClient, "datasets">,
  archive: DatasetArchive,
  options: Omit<MessageInitShape<typeof CreateDatasetUploadRequestSchema>, "$typeName" | "sizeBytes" | "sha256">,
  { signal, onProgress, reconnectMs = 60_000 }: UploadDatasetOptions = {},
): Promise<Dataset> {
  const { sizeBytes, sha256 } = archive;
  const call = signal === undefined ? {} : { signal };
  // Not the time of day, which can jump.
  let lastHeardMs = performance.now();
  const untilItGoes = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let waitMs = 100; ; waitMs = Math.min(2 * waitMs, 2_000)) {
      try {
        return await work();
      } catch (error) {
        if (signal?.aborted === true) throw error;
        // The server's longest time for a call was over: it is there, and what it does goes on.
        if (error instanceof ConnectError && error.code === Code.DeadlineExceeded) lastHeardMs = performance.now();
        else if (!isPassing(error) || performance.now() - lastHeardMs > reconnectMs) throw error;
        await delay(waitMs, undefined, call);
      }
    }
  };
  const name = await untilItGoes(async () => {
    const begun = await datasets.createDatasetUpload({ ...options, sizeBytes: BigInt(sizeBytes), sha256 }, call);
    let { committedBytes } = begun;
    onProgress?.(Number(committedBytes), sizeBytes);
    if (Number(committedBytes) === sizeBytes) return begun.name;
    for await (const chunk of inChunks(archive.read(Number(committedBytes)))) {
      const written = await datasets.writeDatasetUpload({ name: begun.name, offset: committedBytes, chunk }, call);
      ({ committedBytes } = written);
      lastHeardMs = performance.now();
      onProgress?.(Number(committedBytes), sizeBytes);
    }
    return begun.name;
  });
  lastHeardMs = performance.now();
  return untilItGoes(() => datasets.finishDatasetUpload({ name }, call));
}

/** A server that is away, which tells no reason; and a chunk that arrived although its answer was lost. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info === undefined) return AWAY.includes(error.code);
  return error.code === Code.Unavailable || info.reason === "UPLOAD_OFFSET_MISMATCH";
}

/** The same bytes in pieces of one size, the last one aside. */
async function* inChunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + CHUNK_BYTES - filled);
      chunk.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled === CHUNK_BYTES) {
        yield chunk;
        chunk = new Uint8Array(CHUNK_BYTES);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
