import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { putObject, type S3Server, startS3 } from "../../test-fixtures/index.ts";
import { type NetworkProxy, startProxy } from "../../test-fixtures/network-proxy.ts";
import { StoreUnavailableError } from "../errors.ts";
import type { Objects } from "../objects/open-objects.ts";
import { openS3Objects } from "../objects/s3-objects.ts";
import { createFolders } from "./folders.ts";

let root: string;
let server: S3Server;
let network: NetworkProxy;
let address: string;
let objects: Objects;
beforeEach(async () => {
  [root, server] = await Promise.all([mkdtemp(join(tmpdir(), "duchenne-folders-")), startS3()]);
  network = await startProxy(Number(new URL(server.endpoint).port));
  const through = encodeURIComponent(`http://127.0.0.1:${network.port}`);
  address = server.createPrefix().replace(encodeURIComponent(server.endpoint), through);
  objects = await openS3Objects(address, join(root, "object-cache"), (work) => work());
});
afterEach(async () => {
  await objects.close();
  await network.stop();
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

it("a copy whose download was torn is none, and goes on with what is missing", async () => {
  const files = Array.from({ length: 6 }, (_, i) => [`${i}.png`, Buffer.alloc(100_000, `bytes of ${i}, `)] as const);
  const asked: string[] = [];
  const blobs = {
    ...objects.blobs,
    async get(digest: string) {
      asked.push(digest);
      return objects.blobs.get(digest);
    },
  };
  const folders = createFolders({ blobs, directory: root, maxBytes: 1e9, packBytes: 100_000 });
  const { digest } = await folders.keep(async (folder) => {
    for (const [path, bytes] of files) await folder.file(path, bytes);
  });

  // In the midst of a file.
  network.cut(350_000);
  await expect(folders.copy(digest)).rejects.toBeInstanceOf(StoreUnavailableError);
  expect(await readdir(join(root, "copies"))).toEqual([]);
  network.restore();
  asked.length = 0;
  const { path } = await folders.copy(digest);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.length).toBeLessThan(files.length);
  for (const [name, bytes] of files) expect((await readFile(join(path, name))).equals(bytes)).toBe(true);
});

it("a folder whose blob in the bucket has changed is refused, and whole when the same files are kept again", async () => {
  const folders = (machine: string) =>
    createFolders({ blobs: objects.blobs, directory: join(root, machine), maxBytes: 1e9 });
  const keep = () =>
    folders("one").keep(async (folder) => {
      await folder.file("labels", Buffer.from("labels"));
      await folder.cut();
      await folder.file("images", Buffer.from("images"));
    });
  const { digest, blobs } = await keep();
  await putObject({ objects: address }, `blobs/${blobs[2]}`, Buffer.from("imageS"));
  await expect(folders("two").copy(digest)).rejects.toThrow(/holds other bytes, .* it is part 2 of 2 of a folder/);
  expect(await keep()).toEqual({ digest, blobs });
  const { path } = await folders("two").copy(digest);
  expect(await readFile(join(path, "images"), "utf8")).toBe("images");
});
