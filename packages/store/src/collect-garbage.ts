import type { Blobs, Checkpoints } from "./blobs.ts";
import type { Database } from "./database.ts";
import { isOver, type JobState } from "./job-record.ts";
import type { ModelArtifact } from "./model-record.ts";
import { ARTIFACTS_LOCK } from "./model-versions.ts";

/** What a collection has removed. */
export interface Collected {
  readonly objects: number;
  readonly sizeBytes: number;
}

/**
 * Removes what nothing refers to: files of no living version, rests of writes that were never finished, and checkpoints
 * that nobody goes on from. Safe beside everything else, in any number of processes.
 *
 * @param minAgeMs what is younger stays: a version may be about to name it. Longer than any publication takes.
 */
export async function collectGarbage(
  database: Database,
  { blobs, checkpoints }: { readonly blobs: Blobs; readonly checkpoints: Checkpoints },
  { minAgeMs, signal }: { readonly minAgeMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Collected> {
  const { kysely: db } = database;
  const before = Date.now() - minAgeMs;
  let [objects, sizeBytes] = [0, 0];
  const count = (removed: { readonly sizeBytes: number }) => {
    objects++;
    sizeBytes += removed.sizeBytes;
  };

  const versions = await db.selectFrom("model_versions").select("artifacts").where("delete_time", "is", null).execute();
  const used = new Set(
    versions.flatMap(({ artifacts }) => (JSON.parse(artifacts) as ModelArtifact[]).map(({ digest }) => digest)),
  );
  for await (const object of blobs.list()) {
    signal?.throwIfAborted();
    const { digest } = object;
    if (object.timeMs > before || (digest !== undefined && used.has(digest))) continue;
    // A version may have come to name it since.
    const removed = await database.transaction(async (tx) => {
      await database.lock(tx, ARTIFACTS_LOCK);
      const user = await tx
        .selectFrom("model_versions")
        .select("model")
        .where("artifacts", "like", `%"${digest ?? ""}"%`)
        .where("delete_time", "is", null)
        .executeTakeFirst();
      if (user !== undefined && digest !== undefined) return false;
      await object.remove();
      return true;
    });
    if (removed) count(object);
  }

  for (const id of await checkpoints.jobs()) {
    signal?.throwIfAborted();
    const job = await db
      .selectFrom("jobs")
      .select(["state", "checkpoint_digest"])
      .where("id", "=", id)
      .executeTakeFirst();
    // Nobody here knows whose they are.
    if (job === undefined) continue;
    const isUnused = isOver(job.state as JobState);
    for await (const object of checkpoints.of(id).list()) {
      const isReplaced = object.digest !== job.checkpoint_digest && object.timeMs <= before;
      if (!isUnused && !isReplaced) continue;
      await object.remove();
      count(object);
    }
    if (isUnused) await checkpoints.removeAll(id);
  }
  return { objects, sizeBytes };
}
