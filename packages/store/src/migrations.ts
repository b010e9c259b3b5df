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
];
