import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tryLock } from "./file-lock.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "duchenne-lock-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("a lock", () => {
  it("is shared by any number, or one's alone", () => {
    const path = join(root, "lock");
    const shared = [tryLock(path, "shared"), tryLock(path, "shared")];
    expect(shared.every((lock) => lock !== undefined)).toBe(true);
    expect(tryLock(path, "exclusive")).toBeUndefined();
    shared[0]!.release();
    shared[0]!.release();
    expect(tryLock(path, "exclusive")).toBeUndefined();
    shared[1]!.release();
    const alone = tryLock(path, "exclusive");
    expect(alone).toBeDefined();
    expect([tryLock(path, "shared"), tryLock(path, "exclusive")]).toEqual([undefined, undefined]);
    alone!.release();
    expect(tryLock(path, "shared")).toBeDefined();
  });

  it("of a folder that cannot be written is an error of its own", () => {
    expect(() => tryLock(join(root, "none", "lock"), "shared")).toThrow(/unable to open/);
  });
});
