import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request as forward, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { putObject, type S3Server, startS3 } from "../../test-fixtures/index.ts";
import type { StoredObject } from "../blobs.ts";
import { sha256 } from "../sha256.ts";
import type { Objects } from "./open-objects.ts";
import { parseS3Address } from "./s3-address.ts";
import { openS3Bucket } from "./s3-bucket.ts";
import { openS3Objects } from "./s3-objects.ts";

const BYTES = Buffer.from("whole");
const DIGEST = sha256(BYTES);
const BLOB = `blobs/${DIGEST}`;
const NOTE = `${BLOB}.damaged`;

let s3: S3Server;
/** Stands between the store and the server. */
let way: Server;
/** What was asked for on it: "GET blobs/..." */
let asked: string[];
/** How many of the next answers to GET it changes a byte of. */
let changesLeft: number;
let isReadOnly: boolean;
let address: string;
let root: string;
let objects: Objects;
beforeAll(async () => {
  s3 = await startS3();
  way = createServer((request, response) => {
    const { method, url: path = "", headers } = request;
    asked.push(`${method} ${path.replace(/^.*store-\d+\//, "").replace(/\?.*$/, "")}`);
    if (method === "PUT" && isReadOnly) {
      request.resume().on("end", () => {
        response.writeHead(403, { "content-type": "application/xml" });
        response.end("<Error><Code>AccessDenied</Code><Message>Only reading</Message></Error>");
      });
      return;
    }
    const forwarded = forward({ port: new URL(s3.endpoint).port, method, path, headers }, async (answer) => {
      const body = await buffer(answer);
      if (method === "GET" && path.includes(DIGEST) && changesLeft > 0) {
        changesLeft--;
        body[0]! ^= 1;
      }
      response.writeHead(answer.statusCode!, answer.headers).end(body);
    });
    request.pipe(forwarded);
  }).listen(0, "127.0.0.1");
  await once(way, "listening");
});
afterAll(async () => {
  way.closeAllConnections();
  way.close();
  await s3.stop();
});
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "duchenne-objects-"));
  const { port } = way.address() as AddressInfo;
  address = s3.createPrefix().replace(/endpoint=.*$/, `endpoint=http://127.0.0.1:${port}`);
  [asked, changesLeft, isReadOnly] = [[], 0, false];
  objects = await openS3Objects(address, join(root, "cache"), (work) => work());
});
afterEach(async () => {
  await objects.close();
  await rm(root, { recursive: true, force: true });
});

/** What lies in the bucket, by its keys. */
async function stored(): Promise<Record<string, string>> {
  const bucket = openS3Bucket(parseS3Address(address));
  const texts: Record<string, string> = {};
  for await (const { key } of bucket.list("")) texts[key] = (await buffer((await bucket.get(key))!)).toString();
  bucket.close();
  return texts;
}
const damage = (text: string) => putObject({ objects: address }, BLOB, Buffer.from(text));

describe("a blob in a bucket", () => {
  it("that was changed on its way is read once more, and nothing is noted", async () => {
    await objects.blobs.put(BYTES);
    changesLeft = 1;
    expect((await objects.blobs.get(DIGEST)).toString()).toBe("whole");
    changesLeft = 1;
    expect(await readFile(await objects.blobs.file(DIGEST), "utf8")).toBe("whole");
    expect(changesLeft).toBe(0);
    expect(await stored()).toEqual({ [BLOB]: "whole" });
  });

  it.each(["get", "file"] as const)(
    "that was found changed by %s stays, with a note, until it is sent again",
    async (read) => {
      await objects.blobs.put(BYTES);
      await damage("Whole");
      // Nobody has read it: it has the right size, and counts as there.
      asked = [];
      await objects.blobs.put(BYTES);
      expect(asked).not.toContain(`PUT ${BLOB}`);
      await expect(objects.blobs[read](DIGEST)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
      const text = `Blob ${DIGEST} holds other bytes, of sha256 ${sha256("Whole")}, read at `;
      expect(await stored()).toEqual({ [BLOB]: "Whole", [NOTE]: expect.stringContaining(text) });
      await objects.blobs.put(BYTES);
      expect(await stored()).toEqual({ [BLOB]: "whole" });
      asked = [];
      await objects.blobs.put(BYTES);
      expect(asked).not.toContain(`PUT ${BLOB}`);
    },
  );

  it("that is missing is no changed one", async () => {
    await expect(objects.blobs.get(DIGEST)).rejects.toThrow("is missing");
    await expect(objects.blobs.file(DIGEST)).rejects.toThrow("is missing");
    expect(await stored()).toEqual({});
    expect(asked.filter((each) => each.startsWith(`GET ${BLOB}`))).toHaveLength(2);
  });

  it("that is changed and cannot be noted is refused, and that is told", async () => {
    await objects.blobs.put(BYTES);
    await damage("Whole");
    isReadOnly = true;
    const reading = objects.blobs.get(DIGEST);
    await expect(reading).rejects.toMatchObject({ code: "data_loss", reason: "BLOB_DAMAGED" });
    await expect(reading).rejects.toThrow(
      /holds other bytes, of sha256 \w+; that could not be noted, .* 403 AccessDenied/,
    );
  });

  it("has a note for as long as it is there, which is garbage then", async () => {
    await objects.blobs.put(BYTES);
    await damage("Whole");
    await expect(objects.blobs.get(DIGEST)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
    const listed = async () => {
      const found: StoredObject[] = [];
      for await (const object of objects.blobs.list()) found.push(object);
      return found;
    };
    expect((await listed()).map(({ digest }) => digest)).toEqual([DIGEST]);
    await objects.blobs.remove(DIGEST);
    const [note, ...others] = await listed();
    expect([note!.digest, others]).toEqual([undefined, []]);
    expect(await note!.removeOlderThan(Date.now() + 2_000)).toBe(true);
    expect(await stored()).toEqual({});
  });

  it("of a job is noted beside it, and removed with it", async () => {
    const checkpoints = objects.checkpoints.of("job-1");
    await checkpoints.put(BYTES);
    await putObject({ objects: address }, `checkpoints/job-1/${DIGEST}`, Buffer.from("Whole"));
    await expect(checkpoints.get(DIGEST)).rejects.toMatchObject({ reason: "BLOB_DAMAGED" });
    expect(Object.keys(await stored())).toHaveLength(2);
    expect(await objects.checkpoints.jobs()).toEqual(["job-1"]);
    await objects.checkpoints.removeAll("job-1");
    expect(await stored()).toEqual({});
  });
});
