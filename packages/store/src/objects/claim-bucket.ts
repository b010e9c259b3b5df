import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3Bucket } from "./s3-bucket.ts";

const MARK = "database-id";
/** Some servers show an object missing or empty while it is written. */
const READ_AGAIN_MS = 50;
const MAX_READS = 40;

/** The mark of who owns a bucket's prefix, as it was read, after setting it where there is none. Empty when it stays empty. */
export async function claimBucket(bucket: S3Bucket, database: string): Promise<string> {
  for (let reads = 1; ; reads++) {
    const body = await bucket.get(MARK);
    const mark = body === undefined ? undefined : await text(body);
    if (mark || reads === MAX_READS) return mark ?? "";
    // Never returned before it was read: of several that set it at once, one is the last.
    if (mark === undefined) await bucket.putNew(MARK, Buffer.from(database));
    if (reads > 1) await sleep(READ_AGAIN_MS);
  }
}
