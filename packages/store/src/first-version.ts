import type { Migration } from "./migrations.ts";

/** The tables of the first version. On PostgreSQL, triggers tell watchers of changes; heartbeats are none. */
export const firstVersion: Migration = {
  sqlite: `
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
    checkpoint_step integer,
    priority integer not null default 0,
    time_limit_ms integer,
    run_ms integer not null default 0,
    attempt_time integer,
    attempt_events integer not null default 0,
    run_after text not null default '[]',
    resources text not null default '{}'
  ) strict;
  create index jobs_by_time on jobs (create_time desc, id desc);
  create index jobs_by_state on jobs (state, kind);
  create index jobs_by_turn on jobs (priority desc, create_time, id)
    where state in ('QUEUED', 'RETRY_WAIT', 'RUNNING', 'PAUSING', 'CANCELLING');
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
    delete_time integer,
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
  create index aliases_by_target on aliases (target_model, target_version);
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
  create table job_waits (
    job text not null references jobs (id),
    needs text not null references jobs (id),
    primary key (job, needs)
  ) strict, without rowid;
  create index job_waits_by_needs on job_waits (needs);
  create table job_resources (
    job text not null references jobs (id),
    resource text not null,
    amount integer not null,
    primary key (job, resource)
  ) strict, without rowid;
  create table job_versions (
    job text not null references jobs (id),
    model text not null,
    version integer not null,
    primary key (job, model, version),
    foreign key (model, version) references model_versions (model, version)
  ) strict, without rowid;
  create index job_versions_by_version on job_versions (model, version);
  create table alias_moves (
    model text not null references models (id),
    alias text not null,
    move integer not null,
    target_model text not null,
    target_version integer not null,
    time integer not null,
    primary key (model, alias, move)
  ) strict, without rowid;
  create table store_identity (id text not null) strict;
  `,
  postgres: `
  create table jobs (
    id text collate "C" primary key,
    kind text collate "C" not null,
    state text collate "C" not null,
    attempt bigint not null default 0,
    failures bigint not null default 0,
    max_failures bigint not null,
    owner text collate "C",
    lease_until bigint,
    retry_at bigint,
    progress double precision not null default 0,
    eta_ms double precision,
    create_time bigint not null,
    start_time bigint,
    end_time bigint,
    spec text collate "C" not null,
    result text collate "C",
    error text collate "C",
    last_event bigint not null default 0,
    display_name text collate "C" not null,
    request_id text collate "C" unique,
    traceparent text collate "C",
    checkpoint_digest text collate "C",
    checkpoint_step bigint,
    priority bigint not null default 0,
    time_limit_ms bigint,
    run_ms bigint not null default 0,
    attempt_time bigint,
    attempt_events bigint not null default 0,
    run_after text collate "C" not null default '[]',
    resources text collate "C" not null default '{}'
  );
  create index jobs_by_time on jobs (create_time desc, id desc);
  create index jobs_by_state on jobs (state, kind);
  create index jobs_by_turn on jobs (priority desc, create_time, id)
    where state in ('QUEUED', 'RETRY_WAIT', 'RUNNING', 'PAUSING', 'CANCELLING');
  create table job_events (
    job text collate "C" not null references jobs (id),
    number bigint not null,
    attempt bigint not null,
    time bigint not null,
    body text collate "C" not null,
    primary key (job, number)
  );
  create table models (id text collate "C" primary key, create_time bigint not null);
  create table model_versions (
    model text collate "C" not null references models (id),
    version bigint not null,
    create_time bigint not null,
    card text collate "C" not null,
    artifacts text collate "C" not null,
    job text collate "C" unique references jobs (id),
    delete_time bigint,
    primary key (model, version)
  );
  create table aliases (
    model text collate "C" not null references models (id),
    alias text collate "C" not null,
    target_model text collate "C" not null,
    target_version bigint not null,
    moves bigint not null,
    update_time bigint not null,
    primary key (model, alias),
    foreign key (target_model, target_version) references model_versions (model, version)
  );
  create index aliases_by_target on aliases (target_model, target_version);
  create table datasets (
    id text collate "C" primary key,
    directory text collate "C" not null,
    description text collate "C" not null,
    create_time bigint not null,
    job text collate "C" unique references jobs (id)
  );
  create table evaluations (
    id text collate "C" primary key,
    model_version text collate "C" not null,
    dataset text collate "C" not null,
    report text collate "C" not null,
    create_time bigint not null,
    job text collate "C" unique references jobs (id)
  );
  create table job_waits (
    job text collate "C" not null references jobs (id),
    needs text collate "C" not null references jobs (id),
    primary key (job, needs)
  );
  create index job_waits_by_needs on job_waits (needs);
  create table job_resources (
    job text collate "C" not null references jobs (id),
    resource text collate "C" not null,
    amount bigint not null,
    primary key (job, resource)
  );
  create table job_versions (
    job text collate "C" not null references jobs (id),
    model text collate "C" not null,
    version bigint not null,
    primary key (job, model, version),
    foreign key (model, version) references model_versions (model, version)
  );
  create index job_versions_by_version on job_versions (model, version);
  create table alias_moves (
    model text collate "C" not null references models (id),
    alias text collate "C" not null,
    move bigint not null,
    target_model text collate "C" not null,
    target_version bigint not null,
    time bigint not null,
    primary key (model, alias, move)
  );
  create table store_identity (id text not null);
  create function duchenne_changed() returns trigger language plpgsql as $$
    begin perform pg_notify('duchenne', ''); return null; end $$;
  create trigger changed after insert or update of owner, last_event on jobs for each row execute function duchenne_changed();
  create trigger changed after insert on models for each row execute function duchenne_changed();
  create trigger changed after insert or update on model_versions for each row execute function duchenne_changed();
  create trigger changed after insert or update on aliases for each row execute function duchenne_changed();
  create trigger changed after insert on datasets for each row execute function duchenne_changed();
  create trigger changed after insert on evaluations for each row execute function duchenne_changed();
  `,
};
