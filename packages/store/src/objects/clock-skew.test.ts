import { HeadBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type S3Server, startS3 } from "../../test-fixtures/index.ts";
import { retryAfterClockJump } from "./clock-skew.ts";

const HOURS_MS = 12 * 3_600_000;
const at = { Bucket: "duchenne-test" };
let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.stop());

/** A client that learned the server's time while its machine's clock was this far ahead; that is right again now. */
function clientAfterJump(aheadMs: number): S3Client {
  const client = new S3Client({ endpoint: s3.endpoint, forcePathStyle: true, region: "us-east-1" });
  client.config.systemClockOffset = -aheadMs;
  return client;
}

it.each([HOURS_MS, -HOURS_MS])("S3 answers at once when a clock that was %i ms ahead is set right", async (aheadMs) => {
  for (const command of [new HeadBucketCommand(at), new ListObjectsV2Command(at)]) {
    // The SDK alone: whoever reads this because it fails can do without retryAfterClockJump.
    const alone = clientAfterJump(aheadMs);
    await expect(alone.send(command as HeadBucketCommand)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    alone.destroy();
    const client = clientAfterJump(aheadMs);
    retryAfterClockJump(client);
    expect((await client.send(command as HeadBucketCommand)).$metadata.httpStatusCode).toBe(200);
    client.destroy();
  }
});
