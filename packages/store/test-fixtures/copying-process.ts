// A process that copies a folder and never gets its second blob: what a test kills in the midst of it.
// argv: the folder of blobs, the place for copies, the digest. Tells its parent "first" when the first blob is unpacked.

import { createFolders } from "../src/folders/folders.ts";
import { openBlobs } from "../src/index.ts";

const [blobDirectory = "", directory = "", digest = ""] = process.argv.slice(2);
const blobs = openBlobs(blobDirectory);
let fetched = 0;
const stalling = {
  ...blobs,
  async get(blob: string) {
    if (fetched++ === 0) return blobs.get(blob);
    return new Promise<Buffer>(() => {});
  },
};
// Keeps the process, whatever waits.
setInterval(() => {}, 1_000);
process.send?.("begun");
await createFolders({ blobs: stalling, directory, maxBytes: 1e9 }).copy(digest);
