import { describe, expect, it } from "vitest";
import { readFolderIndex, writeFolderIndex } from "./folder-index.ts";

const digest = "0".repeat(64);
const index = (...files: readonly (readonly [string, number])[]) => {
  const pack = { digest, sizeBytes: 4, files: files.map(([path, sizeBytes]) => ({ path, sizeBytes })) };
  return writeFolderIndex({ folders: ["empty"], packs: [pack] });
};

describe("an index", () => {
  it("is read as it was written", () => {
    const files = [
      { path: "a/..b", sizeBytes: 1 },
      { path: 'quoted "\n"', sizeBytes: 3 },
    ];
    const written = index(...files.map(({ path, sizeBytes }) => [path, sizeBytes] as const));
    expect(readFolderIndex(digest, written)).toEqual({ folders: ["empty"], packs: [{ digest, sizeBytes: 4, files }] });
  });

  it.each([
    ["leads out of the folder", index(["../a", 4]), "stays below the folder"],
    ["leads out of the folder in its middle", index(["a/../../b", 4]), "stays below the folder"],
    ["starts at the root", index(["/etc/passwd", 4]), "stays below the folder"],
    ["does not fill its blob", index(["a", 3]), "fill their blob"],
    ["has a file twice", index(["a", 2], ["a", 2]), "each file once"],
    ["is something else", Buffer.from("{}"), "no index of a folder"],
    ["is of a later version", Buffer.from('{"format":"duchenne-folder","version":2,"folders":[]}'), "no index"],
  ])("that %s is refused", (_, bytes, message) => {
    const reading = () => readFolderIndex(digest, bytes);
    expect(reading).toThrow(message);
    expect(reading).toThrow(expect.objectContaining({ reason: "BLOB_DAMAGED" }));
  });
});
