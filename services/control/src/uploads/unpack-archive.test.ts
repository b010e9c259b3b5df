import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { unpackArchive } from "./unpack-archive.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-unpack-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Files = Readonly<Record<string, string | Buffer>>;
interface ZipOptions {
  readonly compress?: boolean;
  readonly mode?: number;
  readonly forceZip64Format?: boolean;
}

function zipOf(files: Files, options: ZipOptions = {}): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith("/")) zip.addEmptyDirectory(name);
    else zip.addBuffer(Buffer.from(content), name, { mode: 0o100644, ...options });
  }
  zip.end();
  return buffer(zip.outputStream);
}

/** Writes names that an honest program does not: of the same length, in place of an honest one. */
const renamed = (zip: Buffer, from: string, to: string): Buffer => {
  expect(to).toHaveLength(from.length);
  return Buffer.from(zip.toString("latin1").replaceAll(from, to), "latin1");
};

/** Changes a number of the first entry, in the central directory. */
function patched(zip: Buffer, offset: number, change: (bytes: Buffer) => void): Buffer {
  const entry = zip.indexOf("PK\x01\x02", "latin1");
  change(zip.subarray(entry + offset));
  return zip;
}

const LIMITS = { entries: 100, bytes: 1_000_000 };
const into = (): string => join(folder, "out");

async function unpack(zip: Buffer, limits = LIMITS, signal = new AbortController().signal): Promise<void> {
  const path = join(folder, "archive");
  await writeFile(path, zip);
  await unpackArchive(path, into(), { limits, signal });
}

/** What it is refused for. Nothing may lie outside of the folder, then or ever. */
async function refusal(zip: Buffer, limits = LIMITS): Promise<{ readonly field: string; readonly text: string }> {
  const error = await unpack(zip, limits).then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { reason: string; violations: { field: string; description: string }[] },
  );
  if (error === undefined) throw new Error("It was unpacked");
  expect(error).toMatchObject({ code: "invalid_argument", reason: "INVALID_ARCHIVE" });
  expect((await readdir(folder)).filter((name) => name !== "archive" && name !== "out")).toEqual([]);
  const { field, description } = error.violations[0]!;
  return { field, text: description };
}

const isEmpty = async (): Promise<boolean> => (await readdir(into()).catch(() => [])).length === 0;

describe("an archive is unpacked", () => {
  it.each([
    ["stored", { compress: false }],
    ["deflated", { compress: true }],
    ["zip64", { forceZip64Format: true }],
    ["without a file type", { mode: 0o644 }],
  ])("%s, with folders and empty files", async (_, options) => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`a/${i % 3}/${i}.txt`, `${i}`.repeat(500)]));
    await unpack(await zipOf({ ...files, empty: "", "folder/": "" }, options));
    for (const [name, content] of Object.entries(files)) {
      expect(await readFile(join(into(), name), "utf8")).toBe(content);
    }
    expect(await readFile(join(into(), "empty"), "utf8")).toBe("");
    expect(await readdir(into())).toEqual(expect.arrayContaining(["a", "empty", "folder"]));
  });
});

describe("an archive is refused before a file is written", () => {
  afterEach(async () => expect(await isEmpty()).toBe(true));

  it.each([
    ["../../evil", "invalid relative path"],
    ["/tmp/./evil", "absolute path"],
    ["aa\\..\\evil", "invalid characters"],
    ["ab//cd/evil", "empty parts"],
    ["ab/./c/evil", "empty parts"],
    ["ab\x00cdeevil", "control characters"],
  ])("for the name %j", async (name, text) => {
    const honest = "x".repeat(name.length);
    const zip = renamed(await zipOf({ "first.txt": "fine", [honest]: "evil" }), honest, name);
    expect((await refusal(zip)).text).toContain(text);
  });

  it("for a name that is too long", async () => {
    expect((await refusal(await zipOf({ ["n".repeat(256)]: "" }))).text).toContain("255 bytes");
  });

  it.each([
    ["a link", 0o120777],
    ["a device", 0o020644],
    ["a pipe", 0o010644],
  ])("for %s", async (_, mode) => {
    expect(await refusal(await zipOf({ "out.txt": "/etc/passwd" }, { mode }))).toEqual({
      field: "archive:out.txt",
      text: "Expected files and folders alone, got a link or a device",
    });
  });

  it("for a file that stands twice, and a file that is a folder as well", async () => {
    const twice = renamed(await zipOf({ "one.txt": "1", "two.txt": "2" }), "two.txt", "one.txt");
    expect(await refusal(twice)).toMatchObject({ field: "archive:one.txt", text: expect.stringContaining("twice") });
    const both = await zipOf({ a: "file", "a/b": "file" });
    expect(await refusal(both)).toMatchObject({ field: "archive:a", text: expect.stringContaining("got both") });
  });

  it("for more files or more bytes than allowed, by what it tells and before anything is inflated", async () => {
    const many = await zipOf({ a: "1", b: "2", c: "3" });
    expect((await refusal(many, { ...LIMITS, entries: 2 })).text).toBe("Expected at most 2 files and folders, got 3");
    const bomb = await zipOf({ small: "fine", bomb: Buffer.alloc(5_000_000) }, { compress: true });
    expect(bomb.length).toBeLessThan(10_000);
    expect(await refusal(bomb)).toEqual({
      field: "archive:bomb",
      text: "Expected at most 1000000 bytes unpacked, got more from this file on",
    });
  });

  it("for encryption and other compressions", async () => {
    const encrypted = patched(await zipOf({ a: "1" }), 8, (flags) => flags.writeUInt16LE(flags.readUInt16LE() | 1));
    expect((await refusal(encrypted)).text).toContain("not encrypted");
    const lzma = patched(await zipOf({ a: "1" }), 10, (method) => method.writeUInt16LE(14));
    expect((await refusal(lzma)).text).toContain("compression method 14");
  });

  it("for what is no zip, and for one that is cut", async () => {
    expect((await refusal(Buffer.from("hello"))).text).toContain("Expected a whole zip");
    expect((await refusal(Buffer.alloc(0))).text).toContain("Expected a whole zip");
    const zip = await zipOf({ a: "1".repeat(10_000) }, { compress: false });
    expect((await refusal(zip.subarray(0, zip.length - 30))).text).toContain("Expected a whole zip");
    expect((await refusal(zip.subarray(100))).text).toContain("Expected a whole zip");
  });
});

describe("an archive that lies about its files is refused", () => {
  it("for more bytes than it tells, which bounds a bomb", async () => {
    const zip = patched(await zipOf({ bomb: Buffer.alloc(5_000_000) }, { compress: true }), 24, (size) =>
      size.writeUInt32LE(1_000),
    );
    expect(await refusal(zip)).toMatchObject({
      field: "archive:bomb",
      text: expect.stringContaining("too many bytes"),
    });
  });

  it("for other bytes than its checksum, damaged compression, and places outside of it", async () => {
    const content = "0123456789".repeat(1_000);
    const stored = renamed(await zipOf({ a: content }, { compress: false }), content, `x${content.slice(1)}`);
    expect(await refusal(stored)).toMatchObject({ field: "archive:a", text: expect.stringContaining("checksum") });
    await rm(into(), { recursive: true });
    const deflated = await zipOf({ a: content }, { compress: true });
    deflated.fill(0xff, 40, 60);
    expect(await refusal(deflated)).toMatchObject({ field: "archive:a" });
    await rm(into(), { recursive: true });
    const away = patched(await zipOf({ a: content }), 42, (offset) => offset.writeUInt32LE(0x7fffffff));
    expect(await refusal(away)).toMatchObject({ field: "archive:a" });
  });

  it("stops when it is told to", async () => {
    const zip = await zipOf({ a: "1" });
    await expect(unpack(zip, LIMITS, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  });
});
