import { randomUUID } from "node:crypto";
import type { Database } from "./database.ts";
import { StoreMismatchError } from "./errors.ts";
import type { Objects } from "./objects/open-objects.ts";

/** Ties objects to their database, at the first time. @throws {StoreMismatchError} when they belong to another */
export async function tieTogether(database: Database, objects: Objects): Promise<void> {
  const id = await database.transaction(async (tx) => {
    await database.lock(tx, "identity");
    const row = await tx.selectFrom("store_identity").select("id").executeTakeFirst();
    if (row !== undefined) return row.id;
    const made = randomUUID();
    await tx.insertInto("store_identity").values({ id: made }).execute();
    return made;
  });
  const actual = await objects.claim(id);
  if (actual !== id) throw new StoreMismatchError(objects.place, id, actual);
}
