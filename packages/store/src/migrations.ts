import { firstVersion } from "./first-version.ts";

/** What brings a database from one version to the next, in the language of each database. */
export interface Migration {
  readonly sqlite: string;
  readonly postgres: string;
}

/** What the names of uploaded folders end with: as much of a digest as tells them apart. */
const UPLOAD_DIGEST = "[0-9a-f]".repeat(16);

/**
 * The i-th brings version i to version i + 1, both databases alike. What was released is never changed, only added to.
 */
export const migrations: readonly Migration[] = [
  firstVersion,
  {
    sqlite: `
  alter table evaluations add column scores text;
  create index evaluations_by_scores on evaluations (scores);
  create index evaluations_by_version on evaluations (model_version, dataset);
  `,
    postgres: `
  alter table evaluations add column scores text collate "C";
  create index evaluations_by_scores on evaluations (scores);
  create index evaluations_by_version on evaluations (model_version, dataset);
  `,
  },
  {
    sqlite: `
  alter table jobs add column parent text references jobs (id);
  alter table jobs add column place integer;
  create index jobs_by_parent on jobs (parent, place) where parent is not null;
  `,
    postgres: `
  alter table jobs add column parent text collate "C" references jobs (id);
  alter table jobs add column place bigint;
  create index jobs_by_parent on jobs (parent, place) where parent is not null;
  `,
  },
  {
    sqlite: `
  create table cross_validations (
    id text primary key,
    model text not null,
    dataset text not null,
    report text not null,
    create_time integer not null,
    job text unique references jobs (id)
  ) strict;
  `,
    postgres: `
  create table cross_validations (
    id text collate "C" primary key,
    model text collate "C" not null,
    dataset text collate "C" not null,
    report text collate "C" not null,
    create_time bigint not null,
    job text collate "C" unique references jobs (id)
  );
  create trigger changed after insert on cross_validations for each row execute function duchenne_changed();
  `,
  },
  {
    sqlite: `
  alter table datasets add column files text;
  create table dataset_blobs (
    dataset text not null references datasets (id),
    digest text not null,
    primary key (dataset, digest)
  ) strict;
  create index dataset_blobs_by_digest on dataset_blobs (digest);
  `,
    postgres: `
  alter table datasets add column files text collate "C";
  create table dataset_blobs (
    dataset text collate "C" not null references datasets (id),
    digest text collate "C" not null,
    primary key (dataset, digest)
  );
  create index dataset_blobs_by_digest on dataset_blobs (digest);
  `,
  },
  {
    // What PostgreSQL's triggers tell, SQLite's count: it tells nobody, and every heartbeat changes its version.
    sqlite: `
  create table changes (count integer not null) strict;
  insert into changes values (0);
  create trigger jobs_inserted after insert on jobs begin update changes set count = count + 1; end;
  create trigger jobs_updated after update of owner, last_event on jobs begin update changes set count = count + 1; end;
  create trigger models_inserted after insert on models begin update changes set count = count + 1; end;
  create trigger model_versions_inserted after insert on model_versions begin update changes set count = count + 1; end;
  create trigger model_versions_updated after update on model_versions begin update changes set count = count + 1; end;
  create trigger aliases_inserted after insert on aliases begin update changes set count = count + 1; end;
  create trigger aliases_updated after update on aliases begin update changes set count = count + 1; end;
  create trigger datasets_inserted after insert on datasets begin update changes set count = count + 1; end;
  create trigger evaluations_inserted after insert on evaluations begin update changes set count = count + 1; end;
  create trigger cross_validations_inserted after insert on cross_validations begin update changes set count = count + 1; end;
  `,
    postgres: "select 1;",
  },
  {
    sqlite: "alter table jobs add column request_digest text;",
    postgres: 'alter table jobs add column request_digest text collate "C";',
  },
  {
    sqlite: `
  alter table model_versions add column request_id text;
  alter table model_versions add column request_digest text;
  create unique index model_versions_by_request on model_versions (request_id) where request_id is not null;
  `,
    postgres: `
  alter table model_versions add column request_id text collate "C";
  alter table model_versions add column request_digest text collate "C";
  create unique index model_versions_by_request on model_versions (request_id) where request_id is not null;
  `,
  },
  {
    // Aliases can be deleted: a move without a target. SQLite changes no column, so the table is made again.
    sqlite: `
  create table moves_of_aliases (
    model text not null references models (id),
    alias text not null,
    move integer not null,
    target_model text,
    target_version integer,
    time integer not null,
    primary key (model, alias, move)
  ) strict, without rowid;
  insert into moves_of_aliases (model, alias, move, target_model, target_version, time)
    select model, alias, move, target_model, target_version, time from alias_moves;
  drop table alias_moves;
  alter table moves_of_aliases rename to alias_moves;
  create trigger aliases_deleted after delete on aliases begin update changes set count = count + 1; end;
  `,
    postgres: `
  alter table alias_moves alter column target_model drop not null, alter column target_version drop not null;
  create trigger deleted after delete on aliases for each row execute function duchenne_changed();
  `,
  },
  {
    // Jobs that have not ended, or may be tried again, hold their data sets from now on. Quotes within a spec's texts are
    // escaped, so that only a field looks like one.
    sqlite: `
  alter table datasets add column digest text;
  alter table datasets add column managed integer not null default 0;
  update datasets set digest = json_extract(description, '$.digest');
  update datasets set managed = 1 where job is not null
    or directory glob '*/import/uploaded/' || id || '-${UPLOAD_DIGEST}'
    or directory glob '*/import/uploaded/' || id || '-${UPLOAD_DIGEST}/*';
  create table job_datasets (
    job text not null references jobs (id),
    dataset text not null,
    digest text,
    primary key (job, dataset)
  ) strict, without rowid;
  create index job_datasets_by_dataset on job_datasets (dataset);
  insert into job_datasets select jobs.id, datasets.id, datasets.digest from jobs
    join datasets on instr(jobs.spec, '"dataset":"datasets/' || datasets.id || '"') > 0
    where kind not in ('synthesize_dataset', 'cross_validation') and state not in ('SUCCEEDED', 'CANCELLED');
  create table deleted_folders (directory text primary key, delete_time integer not null) strict;
  `,
    postgres: `
  alter table datasets add column digest text collate "C";
  alter table datasets add column managed bigint not null default 0;
  update datasets set digest = substring(description from '"digest":"([^"]*)"');
  update datasets set managed = 1 where job is not null
    or directory ~ ('/import/uploaded/' || id || '-${UPLOAD_DIGEST}(/|$)');
  create table job_datasets (
    job text collate "C" not null references jobs (id),
    dataset text collate "C" not null,
    digest text collate "C",
    primary key (job, dataset)
  );
  create index job_datasets_by_dataset on job_datasets (dataset);
  insert into job_datasets select jobs.id, datasets.id, datasets.digest from jobs
    join datasets on strpos(jobs.spec, '"dataset":"datasets/' || datasets.id || '"') > 0
    where kind not in ('synthesize_dataset', 'cross_validation') and state not in ('SUCCEEDED', 'CANCELLED');
  create table deleted_folders (directory text collate "C" primary key, delete_time bigint not null);
  `,
  },
  {
    sqlite: `
  alter table jobs add column turn integer not null default 0;
  update jobs set turn = ranked.turn from
    (select id, row_number() over (order by create_time, place, id) as turn from jobs) as ranked where ranked.id = jobs.id;
  drop index jobs_by_turn;
  create index jobs_by_turn on jobs (priority desc, turn, id)
    where state in ('QUEUED', 'RETRY_WAIT', 'RUNNING', 'PAUSING', 'CANCELLING');
  create index jobs_by_creation on jobs (turn);
  `,
    postgres: `
  alter table jobs add column turn bigint not null default 0;
  update jobs set turn = ranked.turn from
    (select id, row_number() over (order by create_time, place, id) as turn from jobs) as ranked where ranked.id = jobs.id;
  drop index jobs_by_turn;
  create index jobs_by_turn on jobs (priority desc, turn, id)
    where state in ('QUEUED', 'RETRY_WAIT', 'RUNNING', 'PAUSING', 'CANCELLING');
  create index jobs_by_creation on jobs (turn);
  `,
  },
  {
    sqlite: `
  alter table jobs add column previous_checkpoint_digest text;
  alter table jobs add column previous_checkpoint_step integer;
  `,
    postgres: `
  alter table jobs add column previous_checkpoint_digest text collate "C";
  alter table jobs add column previous_checkpoint_step bigint;
  `,
  },
];
