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
    traceparent: string | null;
    checkpoint_digest: string | null;
    checkpoint_step: number | null;
  };
  job_events: { job: string; number: number; attempt: number; time: number; body: string };
  models: { id: string; create_time: number };
  model_versions: {
    model: string;
    version: number;
    create_time: number;
    card: string;
    artifacts: string;
    job: string | null;
  };
  aliases: {
    model: string;
    alias: string;
    target_model: string;
    target_version: number;
    moves: number;
    update_time: number;
  };
  datasets: { id: string; directory: string; description: string; create_time: number; job: string | null };
  evaluations: {
    id: string;
    model_version: string;
    dataset: string;
    report: string;
    create_time: number;
    job: string | null;
  };
}

/** What brings a database of version i to version i + 1. What was released is never changed, only added to. */
export const migrations: readonly string[] = [
  `
  create table jobs (
    id text primary key,
    kind text not null,
    state text not null,
    attempt integer not null default 0,
    failures integer not null default 0,
    max_failures integer not null,
    owner text,
    lease_until integer,
    retry_at integer,
    progress real not null default 0,
    eta_ms real,
    create_time integer not null,
    start_time integer,
    end_time integer,
    spec text not null,
    result text,
    error text,
    last_event integer not null default 0,
    display_name text not null,
    request_id text unique,
    traceparent text,
    checkpoint_digest text,
    checkpoint_step integer
  ) strict;
  create index jobs_by_time on jobs (create_time desc, id desc);
  create index jobs_by_state on jobs (state, kind);
  create table job_events (
    job text not null references jobs (id),
    number integer not null,
    attempt integer not null,
    time integer not null,
    body text not null,
    primary key (job, number)
  ) strict, without rowid;
  create table models (id text primary key, create_time integer not null) strict;
  create table model_versions (
    model text not null references models (id),
    version integer not null,
    create_time integer not null,
    card text not null,
    artifacts text not null,
    job text unique references jobs (id),
    primary key (model, version)
  ) strict;
  create table aliases (
    model text not null references models (id),
    alias text not null,
    target_model text not null,
    target_version integer not null,
    moves integer not null,
    update_time integer not null,
    primary key (model, alias),
    foreign key (target_model, target_version) references model_versions (model, version)
  ) strict;
  create table datasets (
    id text primary key,
    directory text not null,
    description text not null,
    create_time integer not null,
    job text unique references jobs (id)
  ) strict;
  create table evaluations (
    id text primary key,
    model_version text not null,
    dataset text not null,
    report text not null,
    create_time integer not null,
    job text unique references jobs (id)
  ) strict;
  `,
];
