import type { Generated } from "kysely";

/** The tables. Times are milliseconds since the epoch; objects are JSON texts. */
export interface Tables {
  jobs: {
    id: string;
    kind: string;
    state: string;
    attempt: Generated<number>;
    failures: Generated<number>;
    max_failures: number;
    owner: string | null;
    lease_until: number | null;
    retry_at: number | null;
    progress: Generated<number>;
    eta_ms: number | null;
    create_time: number;
    start_time: number | null;
    end_time: number | null;
    spec: string;
    result: string | null;
    error: string | null;
    last_event: Generated<number>;
    display_name: string;
    request_id: string | null;
    /** What was asked for under the id, as it was sent; null where an earlier release made the job. */
    request_digest: Generated<string | null>;
    traceparent: string | null;
    checkpoint_digest: string | null;
    checkpoint_step: number | null;
    /** The one before, which stays in case the newest turns out to be damaged. */
    previous_checkpoint_digest: Generated<string | null>;
    previous_checkpoint_step: Generated<number | null>;
    /** Jobs of a higher one run first. */
    priority: Generated<number>;
    time_limit_ms: number | null;
    /** How long the attempts ran that have ended. */
    run_ms: Generated<number>;
    /** When the current attempt started; null between attempts. */
    attempt_time: number | null;
    /** How many events the current attempt has stored. */
    attempt_events: Generated<number>;
    /** The ids of the jobs it was to wait for. */
    run_after: Generated<string>;
    resources: Generated<string>;
    /** Grows from job to job as they are created, whatever the clock says; equal for some that are created at once. */
    turn: Generated<number>;
    /** The job that it is a part of. */
    parent: Generated<string | null>;
    /** Its place among its parent's children: it waits only for those before it. */
    place: Generated<number | null>;
  };
  /** One row, on SQLite alone: how often something changed that watchers are told of. */
  changes: { count: number };
  /** One row, by which objects know whose they are. */
  store_identity: { id: string };
  /** What jobs still wait for. */
  job_waits: { job: string; needs: string };
  /** What a job takes of its machine while it runs. */
  job_resources: { job: string; resource: string; amount: number };
  /** Versions that must stay while the job has not ended. */
  job_versions: { job: string; model: string; version: number };
  /** Data sets that must stay, and stay the same, while the job has not ended. */
  job_datasets: { job: string; dataset: string; digest: string | null };
  job_events: { job: string; number: number; attempt: number; time: number; body: string };
  models: { id: string; create_time: number };
  model_versions: {
    model: string;
    version: number;
    create_time: number;
    card: string;
    artifacts: string;
    job: string | null;
    /** A deleted version's row stays, so that its number is never given again. */
    delete_time: Generated<number | null>;
    /** The import that made it, if it was named, and what that asked for. */
    request_id: Generated<string | null>;
    request_digest: Generated<string | null>;
  };
  aliases: {
    model: string;
    alias: string;
    target_model: string;
    target_version: number;
    moves: number;
    update_time: number;
  };
  /** Every move of every alias; without a target: it was deleted. */
  alias_moves: {
    model: string;
    alias: string;
    move: number;
    target_model: string | null;
    target_version: number | null;
    time: number;
  };
  datasets: {
    id: string;
    directory: string;
    description: string;
    create_time: number;
    job: string | null;
    /** The sha256 of the folder that was kept of its files, on stores that machines share. */
    files: Generated<string | null>;
    /** The sha256 of what it holds, as its reader found it. */
    digest: Generated<string | null>;
    /** 1 when the product wrote its folder, 0 when somebody else did. */
    managed: Generated<number>;
  };
  /** Folders that the product wrote for data sets that were deleted. */
  deleted_folders: { directory: string; delete_time: number };
  /** The blobs of kept data sets. */
  dataset_blobs: { dataset: string; digest: string };
  evaluations: {
    id: string;
    model_version: string;
    dataset: string;
    report: string;
    create_time: number;
    job: string | null;
    /** The sha256 of what the evaluation keeps beside its report. */
    scores: Generated<string | null>;
  };
  cross_validations: {
    id: string;
    model: string;
    dataset: string;
    report: string;
    create_time: number;
    job: string | null;
  };
}
