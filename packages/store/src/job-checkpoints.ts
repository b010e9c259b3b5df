import type { Selectable } from "kysely";
import type { Tables } from "./schema.ts";

/** A checkpoint of a job that an attempt can go on from. */
export interface JobCheckpoint {
  readonly digest: string;
  /** The step it was taken after. */
  readonly step: number;
}

/** Where a job's row names its checkpoints. */
type CheckpointColumns = Pick<
  Selectable<Tables["jobs"]>,
  "checkpoint_digest" | "checkpoint_step" | "previous_checkpoint_digest" | "previous_checkpoint_step"
>;

/** How many are kept: when the newest turns out to be damaged, there is one to go on from. */
const KEPT = 2;

/** The columns of a job without checkpoints. */
export const NO_CHECKPOINTS: CheckpointColumns = columnsOf([]);

/** The checkpoints that a row names, newest first. */
export function checkpointsOf(row: CheckpointColumns): readonly JobCheckpoint[] {
  const named = [
    { digest: row.checkpoint_digest, step: row.checkpoint_step },
    { digest: row.previous_checkpoint_digest, step: row.previous_checkpoint_step },
  ];
  return named.flatMap(({ digest, step }) => (digest === null ? [] : { digest, step: step ?? 0 }));
}

/**
 * What is kept when more were saved, in the order they were saved in. One that lies at a later step than a new one, or at
 * the same, is no longer on the way: an attempt went on from before it.
 *
 * @returns as columns, and the digests that can be removed at once. Those of later steps are not among them: training is
 *   exact, and the attempt may just be storing the same bytes again
 */
export function saveCheckpoints(row: CheckpointColumns, saved: readonly JobCheckpoint[]) {
  const before = checkpointsOf(row);
  let kept = before;
  for (const { digest, step } of saved) {
    kept = [{ digest, step }, ...kept.filter((older) => older.step < step)].slice(0, KEPT);
  }
  const newestStep = kept[0]?.step ?? 0;
  const replaced = [...before, ...saved]
    .filter(({ digest, step }) => step <= newestStep && kept.every((each) => each.digest !== digest))
    .map(({ digest }) => digest);
  return { columns: columnsOf(kept), replaced: [...new Set(replaced)] };
}

function columnsOf([newest, previous]: readonly JobCheckpoint[]): CheckpointColumns {
  return {
    checkpoint_digest: newest?.digest ?? null,
    checkpoint_step: newest?.step ?? null,
    previous_checkpoint_digest: previous?.digest ?? null,
    previous_checkpoint_step: previous?.step ?? null,
  };
}
