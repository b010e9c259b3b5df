import type { Kysely } from "kysely";
import type { Checkpoints } from "./blobs.ts";
import { createJobAttempts, type JobAttempts } from "./job-attempts.ts";
import { createJobRequests, type JobRequests } from "./job-requests.ts";
import { createJobTransactions } from "./job-transactions.ts";
import type { Tables } from "./schema.ts";

/** Jobs and their events, for callers and for those who run them. */
export type Jobs = JobRequests & JobAttempts;

/** Jobs in a database. */
export function createJobs(db: Kysely<Tables>, checkpoints: Checkpoints, notify: () => void): Jobs {
  const transactions = createJobTransactions(db, notify);
  return { ...createJobRequests(db, transactions), ...createJobAttempts(db, transactions, checkpoints) };
}
