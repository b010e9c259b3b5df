import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type S3Server, startS3 } from "../../test-fixtures/index.ts";
import { type NetworkProxy, startProxy } from "../../test-fixtures/network-proxy.ts";
import { StoreUnavailableError } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import { parseS3Address } from "./s3-address.ts";
import { openS3Bucket, type S3Bucket } from "./s3-bucket.ts";

let server: S3Server;
let proxy: NetworkProxy;
let opened: S3Bucket[];
beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.stop());
beforeEach(async () => {
  proxy = await startProxy(Number(new URL(server.endpoint).port));
  opened = [];
});
afterEach(async () => {
  for (const bucket of opened) bucket.close();
  await proxy.stop();
});

/** A bucket behind the proxy. */
const open = (limits: Parameters<typeof openS3Bucket>[1] = {}): S3Bucket => {
  const address = { ...parseS3Address(server.createPrefix()), endpoint: `http://127.0.0.1:${proxy.port}` };
  const bucket = openS3Bucket(address, limits);
  opened.push(bucket);
  return bucket;
};
const large = Buffer.alloc(4 * 2 ** 20, "0123456789");
const put = (bucket: S3Bucket, bytes = large) => bucket.put("key", bytes, sha256(bytes));

describe("an object store", () => {
  it("behind a network that drops everything is unavailable in time, and goes on when the network does", async () => {
    const bucket = open({ silenceMs: 300 });
    await put(bucket);
    proxy.silence();
    const calls = [bucket.head("key"), bucket.get("key"), bucket.remove("key"), put(bucket)];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: "rejected", reason: { reason: "STORE_UNAVAILABLE" } });
    }
    proxy.restore();
    expect((await buffer((await bucket.get("key"))!)).equals(large)).toBe(true);
  });

  it("is unavailable to a call that has a limit of its own", async () => {
    const bucket = open();
    await put(bucket, Buffer.from("abc"));
    proxy.silence();
    const removing = bucket.remove("key", AbortSignal.timeout(100));
    await expect(removing).rejects.toBeInstanceOf(StoreUnavailableError);
    proxy.restore();
    expect(await bucket.head("key")).toMatchObject({ sizeBytes: 3 });
  });

  it("that does not begin to answer in time is unavailable, although its connection lives", async () => {
    const slow = createServer((_, response) => {
      const alive = setInterval(() => response.writeProcessing(), 20);
      response.on("close", () => clearInterval(alive));
    }).listen(0, "127.0.0.1");
    await once(slow, "listening");
    const endpoint = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    const bucket = openS3Bucket({ bucket: "bucket", prefix: "", endpoint }, { answerMs: 200, silenceMs: 5_000 });
    await expect(bucket.head("key")).rejects.toBeInstanceOf(StoreUnavailableError);
    bucket.close();
    slow.closeAllConnections();
    slow.close();
  });

  it.each(["silence", "cut"] as const)("is unavailable when a blob's bytes end in %s midway", async (failure) => {
    const bucket = open({ silenceMs: 300 });
    await put(bucket);
    proxy[failure](2 ** 20);
    const reading = bucket.get("key").then((bytes) => buffer(bytes!));
    await expect(reading).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  it("cut off from us is unavailable", async () => {
    const bucket = open();
    await put(bucket, Buffer.from("abc"));
    await proxy.stop();
    await expect(bucket.head("key")).rejects.toThrow(/cannot be used: connect ECONNREFUSED/);
    proxy = await startProxy(Number(new URL(server.endpoint).port));
  });

  it.each([
    [503, "SlowDown", "STORE_UNAVAILABLE"],
    [500, "InternalError", "STORE_UNAVAILABLE"],
    [400, "RequestTimeout", "STORE_UNAVAILABLE"],
    [400, "BadDigest", "STORE_UNAVAILABLE"],
    [404, "NoSuchBucket", "STORE_UNAVAILABLE"],
    [429, "TooManyRequests", "STORE_UNAVAILABLE"],
    [403, "AccessDenied", "STORE_REFUSED"],
    [403, "SignatureDoesNotMatch", "STORE_REFUSED"],
    [400, "ExpiredToken", "STORE_REFUSED"],
    [507, "XMinioStorageFull", "DISK_FULL"],
    [403, "QuotaExceeded", "DISK_FULL"],
    [400, "InvalidArgument", undefined],
  ])("that answers %i %s tells %s", async (status, code, reason) => {
    const answering = createServer((request, response) => {
      request.resume().on("end", () => {
        response.writeHead(status, { "content-type": "application/xml" });
        response.end(`<Error><Code>${code}</Code><Message>So it is</Message></Error>`);
      });
    }).listen(0, "127.0.0.1");
    await once(answering, "listening");
    const endpoint = `http://127.0.0.1:${(answering.address() as AddressInfo).port}`;
    const bucket = openS3Bucket({ bucket: "bucket", prefix: "", endpoint });
    const failure = await put(bucket, Buffer.from("abc")).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect((failure as { readonly reason?: string }).reason).toBe(reason);
    expect((failure as Error).message).toContain(code);
    expect((failure as Error).message).toContain(endpoint);
    bucket.close();
    answering.closeAllConnections();
    answering.close();
  });
});
