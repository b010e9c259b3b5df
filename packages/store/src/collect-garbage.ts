import type { Transaction } from "kysely";
import type { Blobs, Checkpoints, StoredObject } from "./blobs.ts";
import { type Database, databaseTimeMs } from "./database.ts";
import { GARBAGE_MIN_AGE_MS, lockGarbage } from "./garbage-rules.ts";
import { isOver, type JobState } from "./job-record.ts";
import type { ModelArtifact } from "./model-record.ts";
import type { Tables } from "./schema.ts";

/** How a collection is made. */
export interface CollectOptions {
  /** What is younger stays; default GARBAGE_MIN_AGE_MS. */
  readonly minAgeMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a collection has removed. */
export interface Collected {
  readonly objects: number;
  readonly sizeBytes: number;
}

/** A removal that takes longer than the database keeps a lock would hit what was stored after the lock was lost. */
const REMOVAL_TIMEOUT_MS = 10_000;

/**
 * Removes what nothing refers to: files of no living version, of no job's result, of no evaluation and of no data set, rests of
 * writes that were never finished, and checkpoints that nobody goes on from. Safe beside everything else, in any number of processes:
 * whether something refers to an object and how old it is are read again, under a lock, just before it is removed.
 */
export async function collectGarbage(
  database: Database,
  { blobs, checkpoints }: { readonly blobs: Blobs; readonly checkpoints: Checkpoints },
  { minAgeMs = GARBAGE_MIN_AGE_MS, signal }: CollectOptions,
): Promise<Collected> {
  const { kysely: db } = database;
  // A machine whose clock is ahead must not take what others are about to name for old.
  const before = Math.min(Date.now(), await databaseTimeMs(database, db)) - minAgeMs;
  let [objects, sizeBytes] = [0, 0];

  const versions = await db.selectFrom("model_versions").select("artifacts").where("delete_time", "is", null).execute();
  const used = new Set(
    versions.flatMap(({ artifacts }) => (JSON.parse(artifacts) as ModelArtifact[]).map(({ digest }) => digest)),
  );
  const results = await db.selectFrom("jobs").select("result").where("result", "like", '%"digest"%').execute();
  for (const { result } of results) for (const [digest] of result!.matchAll(/[0-9a-f]{64}/g)) used.add(digest);
  const scored = await db.selectFrom("evaluations").select("scores").where("scores", "is not", null).execute();
  for (const { scores } of scored) used.add(scores!);
  for (const { digest } of await db.selectFrom("dataset_blobs").select("digest").execute()) used.add(digest);
  /** Removes an object that is older than a time, unless something has come to use it. */
  const remove = async (
    object: StoredObject,
    olderThan: number,
    isUsed: (tx: Transaction<Tables>) => Promise<boolean>,
  ): Promise<void> => {
    signal?.throwIfAborted();
    const isRemoved = await database.transaction(async (tx) => {
      if (await isUsed(tx)) return false;
      return object.removeOlderThan(olderThan, AbortSignal.timeout(REMOVAL_TIMEOUT_MS));
    });
    if (!isRemoved) return;
    objects++;
    sizeBytes += object.sizeBytes;
  };

  for await (const object of blobs.list()) {
    const { digest } = object;
    if (object.timeMs > before || (digest !== undefined && used.has(digest))) continue;
    await remove(object, before, async (tx) => {
      await lockGarbage(database, tx);
      if (digest === undefined) return false;
      const user = await tx
        .selectFrom("model_versions")
        .select("model")
        .where("artifacts", "like", `%"${digest}"%`)
        .where("delete_time", "is", null)
        .executeTakeFirst();
      if (user !== undefined) return true;
      const job = await tx.selectFrom("jobs").select("id").where("result", "like", `%"${digest}"%`).executeTakeFirst();
      if (job !== undefined) return true;
      const evaluation = await tx
        .selectFrom("evaluations")
        .select("id")
        .where("scores", "=", digest)
        .executeTakeFirst();
      if (evaluation !== undefined) return true;
      const file = await tx
        .selectFrom("dataset_blobs")
        .select("dataset")
        .where("digest", "=", digest)
        .executeTakeFirst();
      return file !== undefined;
    });
  }

  for (const id of await checkpoints.jobs()) {
    const job = await findJob(db, id).executeTakeFirst();
    // Nobody here knows whose they are.
    if (job === undefined) continue;
    for await (const object of checkpoints.of(id).list()) {
      if (!isOver(job.state as JobState) && object.timeMs > before) continue;
      await remove(object, isOver(job.state as JobState) ? Number.POSITIVE_INFINITY : before, async (tx) => {
        // In this order, as attempts do: their job's row first.
        const now = await database.forUpdate(findJob(tx, id)).executeTakeFirst();
        await lockGarbage(database, tx);
        if (now === undefined) return true;
        const named = [now.checkpoint_digest, now.previous_checkpoint_digest];
        return !isOver(now.state as JobState) && object.digest !== undefined && named.includes(object.digest);
      });
    }
    if (isOver(job.state as JobState)) await checkpoints.removeAll(id);
  }
  return { objects, sizeBytes };
}

const findJob = (executor: Database["kysely"] | Transaction<Tables>, id: string) =>
  executor.selectFrom("jobs").select(["state", "checkpoint_digest", "previous_checkpoint_digest"]).where("id", "=", id);
