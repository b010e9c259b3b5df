import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { retryAfterClockJump } from "./clock-skew.ts";
import type { S3Address } from "./s3-address.ts";
import { s3Error } from "./s3-error.ts";

/** An object of a bucket. */
export interface S3Object {
  readonly key: string;
  readonly sizeBytes: number;
  readonly timeMs: number;
}

/**
 * The part of an S3 API that the store needs. Keys are below the address's prefix. Methods, and the reading of bytes, throw
 * StoreUnavailableError, StoreRefusedError and DiskFullError.
 */
export interface S3Bucket {
  /** For messages. */
  readonly place: string;
  put(key: string, bytes: Uint8Array, sha256: string): Promise<void>;
  /** Stores nothing when there is such an object, on servers that know conditional writes; on others it is as put. */
  putNew(key: string, bytes: Uint8Array): Promise<void>;
  upload(key: string, path: string): Promise<void>;
  /** Its bytes, piece by piece; undefined when there is no such object. */
  get(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Undefined when there is no such object. */
  head(key: string, signal?: AbortSignal): Promise<S3Object | undefined>;
  remove(key: string, signal?: AbortSignal): Promise<void>;
  list(folder: string): AsyncIterable<S3Object>;
  /** The names of the folders in a folder. */
  folders(folder: string): Promise<readonly string[]>;
  close(): void;
}

/** How long an object store may keep its callers waiting, in milliseconds; what passes by itself is tried three times. */
interface S3Limits {
  readonly connectMs: number;
  /** For any sign of the server while something is sent or read. */
  readonly silenceMs: number;
  /** For the beginning of an answer; a part of an upload must be sent by then. */
  readonly answerMs: number;
}

const LIMITS: S3Limits = { connectMs: 5_000, silenceMs: 20_000, answerMs: 120_000 };
/** S3 takes at most 5 GiB in one piece and 10 000 parts. */
const PART_BYTES = 16 * 2 ** 20;

/**
 * Opens a bucket, with credentials from where the AWS SDK looks for them.
 *
 * @param changed limits, for tests of them
 */
export function openS3Bucket(address: S3Address, changed: Partial<S3Limits> = {}): S3Bucket {
  const { bucket, prefix, endpoint, region } = address;
  const limits = { ...LIMITS, ...changed };
  const client = new S3Client({
    ...(region !== undefined && { region }),
    // Servers other than AWS's seldom have a name for each bucket.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true, region: region ?? "us-east-1" }),
    // Servers other than AWS's know no trailing checksums; every blob is named by its sha256 and checked when it is read.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: limits.connectMs,
      socketTimeout: limits.silenceMs,
      requestTimeout: limits.answerMs,
      throwOnRequestTimeout: true,
    },
  });
  retryAfterClockJump(client);
  const place = `s3://${bucket}/${prefix}${endpoint === undefined ? "" : ` at ${endpoint}`}`;
  const within = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });
  const at = (key: string) => ({ Bucket: bucket, Key: prefix + key });

  const named = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw s3Error(place, error);
    }
  };
  /** Undefined when the object, not its bucket, is missing. */
  const unlessMissing = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      const isMissing = error instanceof Error && (error.name === "NotFound" || error.name === "NoSuchKey");
      if (isMissing) return undefined;
      throw s3Error(place, error);
    }
  };

  async function* bytesOf(body: Readable): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw s3Error(place, error);
    }
  }

  async function* pages(folder: string, delimiter?: string) {
    let token: string | undefined;
    do {
      const page = await named(
        client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix + folder,
            ...(token !== undefined && { ContinuationToken: token }),
            ...(delimiter !== undefined && { Delimiter: delimiter }),
          }),
        ),
      );
      yield page;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  return {
    place,
    async put(key, bytes, sha256) {
      if (bytes.length > PART_BYTES) {
        await named(new Upload({ client, params: { ...at(key), Body: bytes }, partSize: PART_BYTES }).done());
        return;
      }
      const checksum = { ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") };
      await named(client.send(new PutObjectCommand({ ...at(key), Body: bytes, ...checksum })));
    },
    async putNew(key, bytes) {
      const params = { ...at(key), Body: bytes };
      try {
        await client.send(new PutObjectCommand({ ...params, IfNoneMatch: "*" }));
      } catch (error) {
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        // There is one; another was written at the same time; conditions are not known.
        if (status === 412 || status === 409) return;
        if (status !== 501) throw s3Error(place, error);
        await named(client.send(new PutObjectCommand(params)));
      }
    },
    async upload(key, path) {
      const params = { ...at(key), Body: createReadStream(path, { highWaterMark: 2 ** 20 }) };
      await named(new Upload({ client, params, partSize: PART_BYTES }).done());
    },
    async get(key) {
      const answer = await unlessMissing(client.send(new GetObjectCommand(at(key))));
      return answer && bytesOf(answer.Body as Readable);
    },
    async head(key, signal) {
      const answer = await unlessMissing(client.send(new HeadObjectCommand(at(key)), within(signal)));
      if (answer === undefined) return undefined;
      return { key, sizeBytes: answer.ContentLength ?? 0, timeMs: answer.LastModified?.getTime() ?? 0 };
    },
    async remove(key, signal) {
      await named(client.send(new DeleteObjectCommand(at(key)), within(signal)));
    },
    async *list(folder) {
      for await (const { Contents = [] } of pages(folder)) {
        for (const { Key = "", Size = 0, LastModified } of Contents) {
          yield { key: Key.slice(prefix.length), sizeBytes: Size, timeMs: LastModified?.getTime() ?? 0 };
        }
      }
    },
    async folders(folder) {
      const names: string[] = [];
      for await (const { CommonPrefixes = [] } of pages(folder, "/")) {
        for (const { Prefix = "" } of CommonPrefixes) names.push(Prefix.slice(prefix.length + folder.length, -1));
      }
      return names;
    },
    close: () => client.destroy(),
  };
}
