import { firstVersion } from "./first-version.ts";

/** What brings a database from one version to the next, in the language of each database. */
export interface Migration {
  readonly sqlite: string;
  readonly postgres: string;
}

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
