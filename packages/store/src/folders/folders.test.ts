import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Blobs, openBlobs } from "../blobs.ts";
import { DiskFullError } from "../disk-full.ts";
import { StoreUnavailableError } from "../errors.ts";
import { createFolders, type Folders } from "./folders.ts";

let root: string;
let stored: Blobs;
/** The blobs that copies have asked for. */
let asked: string[];
/** Stands between copies and blobs. */
let onGet: (digest: string) => Promise<void>;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "duchenne-folders-"));
  stored = openBlobs(join(root, "blobs"));
  asked = [];
  onGet = async () => {};
});
afterEach(() => rm(root, { recursive: true, force: true }));

const PACK_BYTES = 8;
const machine = (name = "here", maxBytes = 1e6): Folders => {
  const blobs: Blobs = {
    ...stored,
    async get(digest) {
      asked.push(digest);
      await onGet(digest);
      return stored.get(digest);
    },
  };
  return createFolders({ blobs, directory: join(root, name), maxBytes, packBytes: PACK_BYTES });
};

/** Three blobs of two files each, and a folder with nothing in it. */
const FILES = { "a/1": "aaaa", "a/2": "bbbb", "b/c/3": "cccc", "b/4": "dddd", e: "eeee", f: "" };
const keep = (folders: Folders, files: Readonly<Record<string, string>> = FILES) =>
  folders.keep(async (folder) => {
    folder.folder("empty");
    for (const [path, text] of Object.entries(files)) await folder.file(path, Buffer.from(text));
  });

async function filesOf(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return Object.fromEntries(paths.map((path, i) => [path.slice(directory.length + 1), texts[i]!]));
}
/** Where a copy is made. */
const partialOf = async (name = "here") => {
  const [begun] = await readdir(join(root, name, "partial"));
  return join(root, name, "partial", begun!);
};
const lastUsed = (path: string, hoursAgo: number) => {
  const time = new Date(Date.now() - hoursAgo * 3_600_000);
  return utimes(path, time, time);
};

describe("a kept folder", () => {
  it("is copied as it was, empty files and folders too", async () => {
    const { digest, blobs } = await keep(machine());
    expect(blobs).toHaveLength(4);
    const { path } = await machine("there").copy(digest);
    expect(await filesOf(path)).toEqual(FILES);
    expect(await readdir(join(path, "empty"))).toEqual([]);
    // Nothing else is left of its making.
    expect(await readdir(join(root, "there", "partial"))).toEqual([]);
  });

  it("has the digest of its files, and is stored once", async () => {
    const puts: string[] = [];
    const counting: Blobs = {
      ...stored,
      async put(bytes) {
        const reference = await stored.put(bytes);
        puts.push(reference.digest);
        return reference;
      },
    };
    const folders = createFolders({ blobs: counting, directory: root, maxBytes: 1, packBytes: PACK_BYTES });
    const first = await keep(folders);
    expect(await keep(folders)).toEqual(first);
    expect(new Set(puts).size).toBe(4);
    expect((await keep(folders, { ...FILES, f: "f" })).digest).not.toBe(first.digest);
  });

  it("is read file by file, and only what lies with a file between two cuts is fetched for it", async () => {
    const folders = machine();
    const { digest } = await folders.keep(async (folder) => {
      await folder.file("labels/a", Buffer.from("label"));
      await folder.cut();
      await folder.file("images/a", Buffer.from("image"));
    });
    const fetched: string[] = [];
    const blobs: Blobs = {
      ...stored,
      async file(blob) {
        fetched.push(blob);
        return stored.file(blob);
      },
    };
    const reader = await createFolders({ blobs, directory: root, maxBytes: 1 }).read(digest);
    expect(reader.files).toEqual(new Map([...["labels/a", "images/a"].map((path) => [path, 5] as const)]));
    for (let i = 0; i < 2; i++) expect((await reader.file("labels/a")).toString()).toBe("label");
    expect(fetched).toHaveLength(2);
    await expect(reader.file("images/b")).rejects.toMatchObject({ code: "not_found" });
  });

  it("is not kept when one of its files cannot be read", async () => {
    const broken = new Error("cannot be read");
    const keeping = machine().keep(async (folder) => {
      await folder.file("a", Buffer.from("aaaaaaaa"));
      await folder.file("b", Buffer.from("bbbbbbbb"));
      throw broken;
    });
    await expect(keeping).rejects.toBe(broken);
  });
});

describe("a copy", () => {
  it("is made once, by one of those who want it at the same time", async () => {
    const { digest } = await keep(machine());
    const copies = await Promise.all([machine(), machine(), machine()].map((folders) => folders.copy(digest)));
    for (const { path } of copies) expect(path).toBe(copies[0]!.path);
    expect(await filesOf(copies[0]!.path)).toEqual(FILES);
    await machine().copy(digest);
    expect(asked).toHaveLength(3);
  });

  it("that was cut off goes on with what is missing", async () => {
    const { digest } = await keep(machine());
    onGet = async () => {
      if (asked.length === 3) throw new StoreUnavailableError("away");
    };
    await expect(machine().copy(digest)).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(await readdir(join(root, "here", "copies"))).toEqual([]);
    asked = [];
    const { path } = await machine().copy(digest);
    expect(asked).toHaveLength(1);
    expect(await filesOf(path)).toEqual(FILES);
  });

  it("whose file was half written goes on with it", async () => {
    const { digest } = await keep(machine());
    onGet = async () => {
      if (asked.length === 2) throw new StoreUnavailableError("away");
    };
    await expect(machine().copy(digest)).rejects.toBeInstanceOf(StoreUnavailableError);
    const begun = await partialOf();
    await rm(join(begun, "done", "0"));
    await writeFile(join(begun, "content", "a", "1"), "aa");
    expect(await filesOf((await machine().copy(digest)).path)).toEqual(FILES);
  });

  it("of a process that was killed is gone on with by the next", async () => {
    const { digest } = await keep(machine());
    const script = new URL("../../test-fixtures/copying-process.ts", import.meta.url);
    const child = fork(script, [join(root, "blobs"), join(root, "here"), digest], { execArgv: [] });
    const exited = once(child, "exit");
    await once(child, "message");
    const isUnpacked = async () => existsSync(join(await partialOf().catch(() => root), "done", "0"));
    while (!(await isUnpacked())) await turn();
    // It has the lock until it is gone.
    const waiting = machine().copy(digest, { signal: AbortSignal.timeout(100) });
    await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
    expect(asked).toEqual([]);
    child.kill("SIGKILL");
    await exited;
    const { path } = await machine().copy(digest);
    expect(asked).toHaveLength(2);
    expect(await filesOf(path)).toEqual(FILES);
  });

  it("stops when it is told to, and goes on later", async () => {
    const { digest } = await keep(machine());
    const stop = new AbortController();
    const reason = new Error("stop");
    onGet = async () => {
      if (asked.length === 2) stop.abort(reason);
    };
    const sizes: object[] = [];
    const onStart = (size: object) => void sizes.push(size);
    await expect(machine().copy(digest, { signal: stop.signal, onStart })).rejects.toBe(reason);
    expect(await filesOf((await machine().copy(digest, { onStart })).path)).toEqual(FILES);
    await machine().copy(digest, { onStart });
    expect(sizes).toEqual([1, 2].map(() => ({ files: 6, sizeBytes: 20 })));
  });

  it("of a folder whose blob is another is refused, by the files in it, and whole when that is stored again", async () => {
    const { digest, blobs } = await keep(machine());
    const torn = blobs[2]!;
    await writeFile(join(root, "blobs", torn.slice(0, 2), torn.slice(2)), "cccc");
    await expect(machine().copy(digest)).rejects.toMatchObject({ code: "data_loss", reason: "BLOB_DAMAGED" });
    await expect(machine().copy(digest)).rejects.toThrow(
      new RegExp(`^Blob ${torn} holds other bytes, .*; it is part 2 of 3 of a folder, with b/c/3 to b/4$`),
    );
    await stored.remove(torn);
    await expect(machine().copy(digest)).rejects.toThrow("is missing; it is part 2 of 3");
    expect(await readdir(join(root, "here", "copies"))).toEqual([]);
    await keep(machine());
    expect(await filesOf((await machine().copy(digest)).path)).toEqual(FILES);
  });

  it("of a folder whose blob has changed and kept its size is refused, and whole when that is stored again", async () => {
    const { digest, blobs } = await keep(machine());
    for (const changed of blobs) {
      const path = join(root, "blobs", changed.slice(0, 2), changed.slice(2));
      const bytes = await readFile(path);
      bytes[0]! ^= 1;
      await writeFile(path, bytes);
      const damaged = { reason: "BLOB_DAMAGED", digest: changed };
      await expect(machine("there").copy(digest)).rejects.toMatchObject(damaged);
      await keep(machine());
    }
    expect(await filesOf((await machine("there").copy(digest)).path)).toEqual(FILES);
  });

  it("leaves nothing when the disk is full", async () => {
    const { digest } = await keep(machine());
    onGet = async () => {
      if (asked.length === 2) throw new DiskFullError("a copy", "ENOSPC", undefined);
    };
    await expect(machine().copy(digest)).rejects.toMatchObject({ reason: "DISK_FULL" });
    for (const name of ["partial", "copies", "trash"]) expect(await readdir(join(root, "here", name))).toEqual([]);
  });

  it("that was changed is made again, but not while others read it", async () => {
    const { digest } = await keep(machine());
    const [reader, other] = [await machine().copy(digest), await machine().copy(digest)];
    await writeFile(join(reader.path, "e"), "EEEE");
    await expect(other.discard()).rejects.toMatchObject({ code: "aborted", reason: "FOLDER_COPY_IN_USE" });
    await reader.discard();
    expect(existsSync(reader.path)).toBe(false);
    expect(await filesOf((await machine().copy(digest)).path)).toEqual(FILES);
  });
});

describe("room for copies", () => {
  const folderOf = async (text: string) => (await keep(machine(), { file: text.repeat(10) })).digest;

  it("is made by removing what was used longest ago, and never what is in use", async () => {
    const [a, b, c, d] = [await folderOf("a"), await folderOf("b"), await folderOf("c"), await folderOf("d")];
    const copy = (digest: string) => machine("here", 30).copy(digest);
    const [first, second, third] = [await copy(a), await copy(b), await copy(c)];
    second.release();
    third.release();
    await lastUsed(first.path, 3);
    await lastUsed(second.path, 1);
    await lastUsed(third.path, 2);
    const fourth = await copy(d);
    expect([first, second, third, fourth].map(({ path }) => existsSync(path))).toEqual([true, true, false, true]);
    // What is in use stays, however much it is.
    const again = await copy(c);
    const all = [first, second, third, fourth].map(({ path }) => existsSync(path));
    expect(all).toEqual([true, false, true, true]);
    again.release();
    first.release();
    await copy(b);
    expect(existsSync(first.path)).toBe(false);
  });

  it("is made by removing copies that were never finished, too, and rests of removals", async () => {
    const [a, b] = [await folderOf("a"), await folderOf("b")];
    onGet = async () => {
      throw new StoreUnavailableError("away");
    };
    await expect(machine().copy(a)).rejects.toBeInstanceOf(StoreUnavailableError);
    onGet = async () => {};
    const begun = await partialOf();
    await mkdir(join(root, "here", "trash", "rest"), { recursive: true });
    await machine("here", 15).copy(b);
    expect(existsSync(begun)).toBe(false);
    expect(await readdir(join(root, "here", "trash"))).toEqual([]);
  });

  it("is never that of a copy that another one is making", async () => {
    const [a, b] = [await folderOf("a"), await folderOf("b")];
    const { promise: isGoing, resolve: go } = Promise.withResolvers<void>();
    onGet = async () => {
      if (asked.length === 1) await isGoing;
    };
    const making = machine("here", 15).copy(a);
    while (asked.length === 0) await turn();
    await machine("here", 15).copy(b);
    go();
    expect(await filesOf((await making).path)).toEqual({ file: "a".repeat(10) });
  });

  it("is not made of marks of a copy that is gone", async () => {
    const { digest } = await keep(machine());
    const { path, release } = await machine().copy(digest);
    release();
    // As a process leaves them that is killed just after the copy was there.
    const begun = join(root, "here", "partial", path.slice(path.lastIndexOf("/") + 1), "done");
    await mkdir(begun, { recursive: true });
    for (const mark of ["0", "1", "2"]) await writeFile(join(begun, mark), "");
    await rm(path, { recursive: true });
    expect(await filesOf((await machine().copy(digest)).path)).toEqual(FILES);
  });
});
