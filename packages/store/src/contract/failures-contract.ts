import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { openStore, StoreUnavailableError } from "../index.ts";

/** What holds for stores that cannot be opened. */
export function failuresContract(fixture: StoreFixture): void {
  describe("a store that cannot be opened", () => {
    const failing = (addresses: { readonly database?: string; readonly objects?: string }) =>
      openStore({ ...fixture.location, directory: join(fixture.location.directory, "other"), ...addresses });

    it("says which database and why, without its password", async () => {
      const nobody = failing({ database: "postgres://duchenne:secret@127.0.0.1:1/duchenne" });
      await expect(nobody).rejects.toBeInstanceOf(StoreUnavailableError);
      await expect(nobody).rejects.toThrow(
        "The database postgres://duchenne@127.0.0.1:1/duchenne cannot be used: connect ECONNREFUSED 127.0.0.1:1",
      );
      const wrong = failing({ database: "mysql://duchenne:secret@127.0.0.1/duchenne" });
      await expect(wrong).rejects.toMatchObject({ code: "invalid_argument", reason: "INVALID_STORE_ADDRESS" });
      await expect(wrong).rejects.toThrow('got "mysql://..."');
    });

    it("is one whose objects belong to another database", async () => {
      const directory = join(fixture.location.directory, "with-another");
      const other = await fixture.driver.locate(directory);
      await (await openStore(other)).close();
      if (fixture.location.objects === undefined) {
        await rm(join(directory, "duchenne.sqlite"));
        await expect(openStore(other)).rejects.toMatchObject({ reason: "STORE_MISMATCH" });
      } else {
        const mixed = openStore({ ...other, objects: fixture.location.objects });
        await expect(mixed).rejects.toMatchObject({ code: "failed_precondition", reason: "STORE_MISMATCH" });
      }
    });

    it("says which bucket and why", async () => {
      for (const objects of ["/tmp/objects", "s3://Bucket_1", "s3://bucket?colour=red", "s3://bucket?endpoint=here"]) {
        await expect(failing({ objects })).rejects.toMatchObject({ reason: "INVALID_STORE_ADDRESS" });
      }
      const { database, objects } = fixture.location;
      // Without a server there are no credentials either.
      if (database === undefined || objects === undefined) return;
      const nobody = failing({ objects: "s3://bucket/some/prefix?endpoint=http://127.0.0.1:1" });
      await expect(nobody).rejects.toBeInstanceOf(StoreUnavailableError);
      await expect(nobody).rejects.toThrow(
        "The object store s3://bucket/some/prefix/ at http://127.0.0.1:1 cannot be used: connect ECONNREFUSED",
      );
      await expect(failing({ database: database.replace(/\w+$/, "none") })).rejects.toThrow(
        'database "none" does not exist',
      );
      await expect(failing({ objects: objects.replace("duchenne-test", "no-such-bucket") })).rejects.toThrow(
        "answered 404 NoSuchBucket: The specified bucket does not exist",
      );
    });
  });
}
