import { createHash } from "node:crypto";
import { mkdtempDisposable, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { ModelService } from "@duchenne/proto";
import { expect, it } from "vitest";
import { DamagedExportError, type FileMessage, receiveFile } from "./receive-file.ts";

const bytes = Buffer.from("the bytes of a model");
const digest = createHash("sha256").update(bytes).digest("hex");

async function* messages(fileName: string, promised = digest): AsyncIterable<FileMessage> {
  yield { message: { case: "file", value: { fileName, digest: promised } } };
  yield { message: { case: "chunk", value: bytes.subarray(0, 5) } };
  yield { message: { case: "chunk", value: bytes.subarray(5) } };
}

it("a file stays in its folder, whatever the server calls it", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "receive-"));
  const path = await receiveFile(() => messages("../../model.onnx"), folder.path);
  expect(path).toBe(join(folder.path, "model.onnx"));
  expect(await readFile(path)).toEqual(bytes);
});

it("a damaged file leaves nothing", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "receive-"));
  await expect(receiveFile(() => messages("model.onnx", "0"), folder.path)).rejects.toThrow(DamagedExportError);
  expect(await readdir(folder.path)).toEqual([]);
});

it("a call that fails at once rejects what was asked for, and nothing else", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "receive-"));
  // Such a transport rejects before a folder can be made. A rejection that nobody takes fails the run of the tests.
  const models = createClient(
    ModelService,
    createRouterTransport(() => {}),
  );
  await expect(receiveFile(() => models.exportModel({ name: "models/none" }), folder.path)).rejects.toThrow(
    "unimplemented",
  );
});
