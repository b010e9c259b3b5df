import { existsSync } from "node:fs";
import { readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import type { StoredObject } from "../index.ts";

/** The sha256 of "abc" (FIPS 180-2, B.1). */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/** What holds for stored bytes. */
export function objectsContract(fixture: StoreFixture): void {
  /** The ways to store "abc". */
  const ways = {
    put: () => fixture.store.blobs.put(Buffer.from("abc")),
    async adopt() {
      const path = join(fixture.location.directory, "upload");
      await writeFile(path, "abc");
      return fixture.store.blobs.adopt(path);
    },
  };

  describe("blobs", () => {
    it("are found by their sha256 and refused when changed", async () => {
      const { blobs } = fixture.store;
      expect(await blobs.has(ABC)).toBe(false);
      expect(await blobs.put(Buffer.from("abc"))).toEqual({ digest: ABC, sizeBytes: 3 });
      expect(await blobs.has(ABC)).toBe(true);
      expect((await blobs.get(ABC)).toString()).toBe("abc");
      await fixture.driver.damage(fixture.location, "blobs", ABC, Buffer.from("abd"));
      await expect(blobs.get(ABC)).rejects.toMatchObject({ code: "data_loss" });
      await expect(blobs.file("../../etc/passwd")).rejects.toThrow("is not named by a sha256");
    });

    it("that are torn are refused, and whole again when they are stored again", async () => {
      const { blobs } = fixture.store;
      for (const store of Object.values(ways)) {
        await store();
        await fixture.driver.damage(fixture.location, "blobs", ABC, Buffer.from("ab"));
        await expect(blobs.get(ABC)).rejects.toMatchObject({ code: "data_loss", reason: "BLOB_DAMAGED" });
        expect(await store()).toEqual({ digest: ABC, sizeBytes: 3 });
        expect((await blobs.get(ABC)).toString()).toBe("abc");
      }
    });

    it.each(["put", "adopt"] as const)(
      "that have changed and kept their size are refused, and whole again by %s",
      async (way) => {
        const { blobs } = fixture.store;
        await blobs.put(Buffer.from("abc"));
        await fixture.driver.damage(fixture.location, "blobs", ABC, Buffer.from("abd"));
        const other = await fixture.openAgain();
        for (const read of [blobs.get, blobs.file, other.blobs.file, other.blobs.get]) {
          await expect(read(ABC)).rejects.toMatchObject({ code: "data_loss", reason: "BLOB_DAMAGED" });
          await expect(read(ABC)).rejects.toThrow(/^Blob ba7816bf.* holds other bytes, of sha256 a52d159f[0-9a-f]*$/);
        }
        // They may be all that is left.
        expect(await blobs.has(ABC)).toBe(true);
        expect(await ways[way]()).toEqual({ digest: ABC, sizeBytes: 3 });
        for (const each of [blobs, other.blobs]) {
          expect((await each.get(ABC)).toString()).toBe("abc");
          expect(await readFile(await each.file(ABC), "utf8")).toBe("abc");
        }
      },
    );

    it("that a disk changes under a file that was answered are not answered again", async () => {
      const { blobs } = fixture.store;
      await blobs.put(Buffer.from("abc"));
      const path = await blobs.file(ABC);
      const { atime, mtime } = await stat(path);
      await writeFile(path, "abd");
      await utimes(path, atime, mtime);
      const file = blobs.file(ABC);
      if (fixture.location.objects === undefined) {
        await expect(file).rejects.toMatchObject({ code: "data_loss", reason: "BLOB_DAMAGED" });
      } else {
        // Only the copy of this machine was changed.
        expect(await readFile(await file, "utf8")).toBe("abc");
      }
    });

    it("are read as files, and by every process", async () => {
      const { digest } = await fixture.store.blobs.put(Buffer.from("abc"));
      const { blobs } = await fixture.openAgain();
      const files = await Promise.all([blobs.file(digest), blobs.file(digest), fixture.store.blobs.file(digest)]);
      for (const file of files) expect(await readFile(file, "utf8")).toBe("abc");
      await expect(blobs.file("0".repeat(64))).rejects.toMatchObject({ code: "data_loss" });
      await expect(blobs.get("0".repeat(64))).rejects.toMatchObject({ code: "data_loss" });
    });

    it("take files over, also those that they hold already", async () => {
      const { blobs } = fixture.store;
      const path = join(fixture.location.directory, "upload");
      for (let i = 0; i < 2; i++) {
        await writeFile(path, "abc");
        expect(await blobs.adopt(path)).toEqual({ digest: ABC, sizeBytes: 3 });
        expect(existsSync(path)).toBe(false);
      }
      expect((await blobs.get(ABC)).toString()).toBe("abc");
    });

    it("take files over that are larger than one part of an upload", async () => {
      const { blobs } = fixture.store;
      const bytes = Buffer.alloc(20 * 2 ** 20, "0123456789");
      const path = join(fixture.location.directory, "upload");
      await writeFile(path, bytes);
      const { digest, sizeBytes } = await blobs.adopt(path);
      expect(sizeBytes).toBe(bytes.length);
      expect((await readFile(await blobs.file(digest))).equals(bytes)).toBe(true);
    });

    it("are listed and removed, and those of jobs are apart", async () => {
      const { blobs, checkpoints } = fixture.store;
      const one = await blobs.put(Buffer.from("one"));
      const two = await blobs.put(Buffer.from("two"));
      await checkpoints.of("job-1").put(Buffer.from("one"));
      await checkpoints.of("job-2").put(Buffer.from("three"));
      const listed = async () => {
        const objects: StoredObject[] = [];
        for await (const object of blobs.list()) objects.push(object);
        return objects.map(({ digest }) => digest).sort();
      };
      expect(await listed()).toEqual([one.digest, two.digest].sort());
      expect([...(await checkpoints.jobs())].sort()).toEqual(["job-1", "job-2"]);
      await blobs.remove(one.digest);
      await blobs.remove(one.digest);
      expect(await listed()).toEqual([two.digest]);
      expect((await checkpoints.of("job-1").get(one.digest)).toString()).toBe("one");
      await checkpoints.removeAll("job-1");
      await checkpoints.removeAll("job-1");
      expect(await checkpoints.jobs()).toEqual(["job-2"]);
    });
  });
}
