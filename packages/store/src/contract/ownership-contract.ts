import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import type { Undisturbed } from "../garbage-rules.ts";
import { openObjects } from "../objects/open-objects.ts";

/** What keeps the objects of one database from being another's garbage. */
export function ownershipContract(fixture: StoreFixture): void {
  const alone: Undisturbed = (work) => work();
  /** A place for objects that belongs to nobody yet. */
  const unclaimed = async (name: string) => {
    const directory = join(fixture.location.directory, name);
    await mkdir(directory);
    return fixture.driver.locate(directory);
  };

  describe("objects", () => {
    it("belong to one of the databases that claim them at the same time, and all of them are told which", async () => {
      for (let round = 0; round < 10; round++) {
        const { directory, objects } = await unclaimed(`round-${round}`);
        const names = Array.from({ length: 8 }, (_, i) => `database-${i}`);
        const opened = await Promise.all(names.map(() => openObjects(directory, objects, alone)));
        const owners = await Promise.all(opened.map((each, i) => each.claim(names[i]!)));
        for (const each of opened) await each.close();
        expect(names).toContain(owners[0]);
        expect(new Set(owners).size).toBe(1);
        expect((await readdir(directory)).filter((file) => file.startsWith("database-id."))).toEqual([]);
      }
    });

    it("with a mark that was never finished belong to nobody who asks", async () => {
      const location = await unclaimed("torn");
      await fixture.driver.mark(location, "");
      const objects = await openObjects(location.directory, location.objects, alone);
      expect(await objects.claim("mine")).toBe("");
      await objects.close();
    });

    it("are never collected once they belong to another database", async () => {
      const { digest } = await fixture.store.blobs.put(Buffer.from("another's"));
      await fixture.driver.mark(fixture.location, "another");
      const collecting = fixture.store.collectGarbage({ minAgeMs: -2_000 });
      await expect(collecting).rejects.toMatchObject({ reason: "STORE_MISMATCH" });
      expect(await fixture.store.blobs.has(digest)).toBe(true);
    });
  });
}
