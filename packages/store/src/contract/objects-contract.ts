import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import type { StoredObject } from "../index.ts";

/** The sha256 of "abc" (FIPS 180-2, B.1). */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/** What holds for stored bytes. */
export function objectsContract(fixture: StoreFixture): void {
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
      const again = {
        put: () => blobs.put(Buffer.from("abc")),
        async adopt() {
          const path = join(fixture.location.directory, "upload");
          await writeFile(path, "abc");
          return blobs.adopt(path);
        },
      };
      for (const store of Object.values(again)) {
        await store();
        await fixture.driver.damage(fixture.location, "blobs", ABC, Buffer.from("ab"));
        await expect(blobs.get(ABC)).rejects.toMatchObject({ code: "data_loss", reason: "BLOB_DAMAGED" });
        expect(await store()).toEqual({ digest: ABC, sizeBytes: 3 });
        expect((await blobs.get(ABC)).toString()).toBe("abc");
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
