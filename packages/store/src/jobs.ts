import type { Checkpoints } from "./blobs.ts";
import type { Database } from "./database.ts";
import { createJobAttempts, type JobAttempts } from "./job-attempts.ts";
import { createJobChanges, type JobChanges } from "./job-changes.ts";
import { createJobRequests, type JobRequests } from "./job-requests.ts";
import { createJobTransactions } from "./job-transactions.ts";

/** Jobs and their events, for callers and for those who run them. */
export type Jobs = JobRequests & JobChanges & JobAttempts;

/** Jobs in a database. */
export function createJobs(database: Database, checkpoints: Checkpoints): Jobs {
  const transactions = createJobTransactions(database);
  return {
    ...createJobRequests(database, transactions),
    ...createJobChanges(database, transactions),
    ...createJobAttempts(database, transactions, checkpoints),
  };
}
