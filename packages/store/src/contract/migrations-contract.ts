import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { StoreFixture } from "../../test-fixtures/index.ts";
import { openStore, type Store, type StoreLocation } from "../index.ts";
import { migrations } from "../migrations.ts";
import { sha256 } from "../sha256.ts";

/**
 * The first 16 digits of the sha256 of each migration, both languages: what a database has been through is never changed. A new
 * migration gets a line here, and rows below of what it makes room for.
 */
const RELEASED: readonly string[] = [
  "bf7ba1e7760f0200",
  "2e33c6e8aed941f8",
  "e01093a6ab990e2a",
  "3dc13849b11beb94",
  "2bdf07fd18325e99",
  "c42d569c7b7cd0b9",
  "533fb1562979b895",
  "a8f5f202101c7699",
  "4d968efbb7c2626e",
  "e057aead4d222cab",
  "9eecd2e663f95cb1",
  "36c10401dc7a73dc",
];

/** What is in a database of the first version: one of everything. */
const FIRST_ROWS = `
  insert into jobs (id, kind, state, attempt, max_failures, create_time, spec, last_event, display_name)
    values ('j1', 'fine_tune', 'QUEUED', 0, 3, 1000, '{"epochs":1}', 1, 'Old');
  insert into jobs (id, kind, state, attempt, max_failures, create_time, spec, last_event, display_name)
    values ('j2', 'evaluation', 'QUEUED', 0, 3, 2000, '{"modelVersion":"models/demo/versions/1","dataset":"datasets/faces"}', 0, 'Old');
  insert into jobs (id, kind, state, attempt, max_failures, create_time, end_time, spec, last_event, display_name)
    values ('j3', 'synthesize_dataset', 'SUCCEEDED', 1, 3, 500, 900, '{"dataset":"datasets/drawn"}', 0, 'Old');
  insert into job_events (job, number, attempt, time, body) values ('j1', 1, 0, 1000, '{"kind":"state","state":"QUEUED"}');
  insert into models (id, create_time) values ('demo', 1000);
  insert into models (id, create_time) values ('default', 1000);
  insert into model_versions (model, version, create_time, card, artifacts, job)
    values ('demo', 1, 1000, '{"kind":"vit"}', '[]', 'j1');
  insert into aliases (model, alias, target_model, target_version, moves, update_time)
    values ('default', 'live', 'demo', 1, 3, 2000);
  insert into alias_moves (model, alias, move, target_model, target_version, time)
    values ('default', 'live', 3, 'demo', 1, 2000);
  insert into datasets (id, directory, description, create_time, job) values
    ('faces', '/faces', '{"source":{},"digest":"${"f".repeat(64)}","description":"\\"digest\\":\\"no\\""}', 1000, null),
    ('drawn', '/data/datasets/drawn-j3', '{"digest":"${"d".repeat(64)}"}', 1000, 'j3'),
    ('sent', '/data/import/uploaded/sent-0123456789abcdef/images', '{}', 1000, null),
    ('own', '/data/import/uploaded/own', '{}', 1000, null);
  insert into evaluations (id, model_version, dataset, report, create_time, job)
    values ('e1', 'models/demo/versions/1', 'datasets/faces', '{"f1":0.5}', 1000, 'j1');
`;

/** What is in a database from a version on, as its program wrote it. */
const ROWS: Readonly<Record<number, string>> = {
  1: FIRST_ROWS,
  2: `
  insert into evaluations (id, model_version, dataset, report, create_time, job, scores)
    values ('e2', 'models/demo/versions/1', 'datasets/faces', '{}', 2000, null, '${"5".repeat(64)}');`,
  3: `
  insert into jobs (id, kind, state, attempt, max_failures, create_time, end_time, spec, last_event, display_name)
    values ('p', 'cross_validation', 'SUCCEEDED', 1, 3, 3000, 3100, '{}', 0, 'Parent');
  insert into jobs (id, kind, state, attempt, max_failures, create_time, end_time, spec, last_event, display_name, parent, place)
    values ('c', 'fine_tune', 'SUCCEEDED', 1, 3, 3000, 3050, '{}', 0, 'Child', 'p', 0);`,
  4: `
  insert into cross_validations (id, model, dataset, report, create_time, job)
    values ('v', 'models/demo', 'datasets/faces', '{"folds":3}', 4000, 'p');`,
  5: `
  insert into datasets (id, directory, description, create_time, job, files)
    values ('kept', '/kept', '{"digest":"${"e".repeat(64)}"}', 5000, null, '${"a".repeat(64)}');
  insert into dataset_blobs (dataset, digest) values ('kept', '${"b".repeat(64)}');`,
  7: `
  insert into jobs (id, kind, state, attempt, max_failures, create_time, end_time, spec, last_event, display_name, request_id, request_digest)
    values ('r', 'fine_tune', 'SUCCEEDED', 1, 3, 7000, 7100, '{}', 0, 'Asked', 'request', 'digest');`,
  8: `
  insert into model_versions (model, version, create_time, card, artifacts, job, request_id, request_digest)
    values ('demo', 2, 8000, '{"kind":"vit"}', '[]', null, 'import', 'digest');`,
  9: `
  insert into alias_moves (model, alias, move, target_model, target_version, time) values ('demo', 'canary', 1, 'demo', 1, 9000);
  insert into alias_moves (model, alias, move, target_model, target_version, time) values ('demo', 'canary', 2, null, null, 9100);`,
  10: `
  insert into job_datasets (job, dataset, digest) values ('r', 'kept', '${"e".repeat(64)}');
  insert into deleted_folders (directory, delete_time) values ('/data/datasets/gone', 10000);`,
  12: `
  insert into jobs (id, kind, state, attempt, max_failures, create_time, end_time, spec, last_event, display_name, turn,
    checkpoint_digest, checkpoint_step, previous_checkpoint_digest, previous_checkpoint_step)
    values ('t', 'pretrain', 'FAILED', 1, 3, 12000, 12100, '{}', 0, 'Torn', 99, '${"1".repeat(64)}', 20, '${"2".repeat(64)}', 10);`,
};

/** Finds what ROWS put into a database of a version. */
async function expectRows({ jobs, models, datasets, evaluations, crossValidations }: Store, version: number) {
  const found: Readonly<Record<number, () => Promise<void>>> = {
    2: async () => {
      const { evaluations: listed } = await evaluations.list({ pageSize: 5, model: "models/demo" });
      expect(listed.map(({ id, scores }) => [id, scores])).toEqual([
        ["e2", "5".repeat(64)],
        ["e1", undefined],
      ]);
    },
    3: async () => {
      expect((await jobs.children("p")).map(({ id }) => id)).toEqual(["c"]);
      expect((await jobs.get("c")).parent).toBe("p");
    },
    4: async () => expect((await crossValidations.get("v")).report).toEqual({ folds: 3 }),
    5: async () => {
      expect(await datasets.get("kept")).toMatchObject({
        files: "a".repeat(64),
        digest: "e".repeat(64),
        managed: false,
      });
    },
    7: async () => {
      const asked = { kind: "fine_tune", spec: {}, requestId: "request", requestDigest: "digest" };
      expect(await jobs.create(asked)).toMatchObject({ created: false, job: { id: "r" } });
    },
    8: async () => expect((await models.getVersion("demo", "2")).card).toEqual({ kind: "vit" }),
    9: async () => {
      const { moves } = await models.aliasHistory("demo", "canary", { pageSize: 5 });
      expect(moves.map(({ target }) => target?.version)).toEqual([undefined, "1"]);
      expect(await models.resolveAlias("demo", "canary")).toBeUndefined();
    },
    10: async () => expect(await datasets.deletedFolders()).toContain("/data/datasets/gone"),
    12: async () => {
      expect(await jobs.get("t")).toMatchObject({ checkpoint: { step: 20 }, previousCheckpoint: { step: 10 } });
    },
  };
  for (const [from, find] of Object.entries(found)) if (Number(from) <= version) await find();
}

/** Tables, columns, indexes and triggers. */
const SCHEMA = {
  sqlite: "select type, name, sql from sqlite_master where name not like 'sqlite_%' order by type, name;",
  postgres: `
    select table_name as place, column_name as name, data_type || is_nullable || coalesce(column_default, '') as what
      from information_schema.columns where table_schema = 'public'
    union all select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'
    union all select event_object_table, trigger_name, event_manipulation from information_schema.triggers
    order by 1, 2, 3;`,
};

/** What holds for databases that an older version of the product wrote. */
export function migrationsContract({ driver }: StoreFixture): void {
  const places: string[] = [];
  const stores: Store[] = [];
  const open = async (location: StoreLocation) => {
    const store = await openStore(location);
    stores.push(store);
    return store;
  };
  /** A database as the program of a version left it. */
  const oldDatabase = async (version: number): Promise<StoreLocation> => {
    const directory = await mkdtemp(join(tmpdir(), "duchenne-migrations-"));
    places.push(directory);
    const location = await driver.locate(directory);
    for (const [i, migration] of migrations.slice(0, version).entries()) {
      await driver.execute(location, migration);
      await driver.execute(location, setVersion(i + 1));
      const rows = ROWS[i + 1];
      if (rows !== undefined) await driver.execute(location, { sqlite: rows, postgres: rows });
    }
    return location;
  };
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const place of places.splice(0)) await rm(place, { recursive: true, force: true });
  });

  describe("a database", () => {
    it("goes through the same as ever", () => {
      const digests = migrations.map(({ sqlite, postgres }) => sha256(Buffer.from(JSON.stringify([sqlite, postgres]))));
      expect(digests.map((digest) => digest.slice(0, 16))).toEqual(RELEASED);
    });

    it.each([...RELEASED.keys(), RELEASED.length])("of version %i becomes one of today", async (version) => {
      const [fresh, old] = [await oldDatabase(0), await oldDatabase(version)];
      await open(fresh);
      const store = await open(old);
      const { jobs, models, datasets, evaluations } = store;
      expect(await driver.execute(old, SCHEMA)).toEqual(await driver.execute(fresh, SCHEMA));
      if (version === 0) return;
      await expectRows(store, version);
      const claim = () => jobs.claim({ kinds: ["fine_tune", "evaluation"], owner: "a", leaseMs: 30_000 });
      expect(await claim()).toMatchObject({
        id: "j1",
        attempt: 1,
        spec: { epochs: 1 },
        createTimeMs: 1000,
        priority: 0,
        after: [],
        resources: {},
      });
      expect((await jobs.events("j1", { after: 0, limit: 10 })).map(({ kind }) => kind)).toEqual(["state", "state"]);
      expect(await models.getVersion("demo", "1")).toMatchObject({ card: { kind: "vit" }, job: "j1" });
      const alias = await models.resolveAlias("default", "live");
      expect(alias).toMatchObject({ target: { model: "demo", version: "1" }, etag: "3" });
      await models.deleteAlias({ model: "default", alias: "live" });
      const { moves } = await models.aliasHistory("default", "live", { pageSize: 5 });
      expect(moves).toMatchObject([{ target: undefined, etag: "4" }, alias]);
      expect(await datasets.get("faces")).toMatchObject({ directory: "/faces", digest: "f".repeat(64) });
      const listed = (await datasets.list({ pageSize: 10 })).datasets;
      expect(listed.filter(({ managed }) => managed).map(({ id }) => id)).toEqual(["drawn", "sent"]);
      await expect(datasets.delete("faces")).rejects.toMatchObject({ metadata: { job: "jobs/j2" } });
      expect(await claim()).toMatchObject({ id: "j2" });
      await jobs.finish("j2", 1, { state: "CANCELLED" });
      await datasets.delete("faces");
      expect(await evaluations.get("e1")).toMatchObject({ report: { f1: 0.5 } });
    });

    it("is brought up to date once, whoever opens it at the same time", async () => {
      const location = await oldDatabase(0);
      const opened = await Promise.all(Array.from({ length: 6 }, () => open(location)));
      const { job } = await opened[0]!.jobs.create({ kind: "fine_tune", spec: {}, displayName: "New" });
      for (const { jobs } of opened) expect((await jobs.get(job.id)).displayName).toBe("New");
    });

    it("of a newer version than the program's is left alone", async () => {
      const location = await oldDatabase(migrations.length);
      await driver.execute(location, setVersion(migrations.length + 1));
      await expect(open(location)).rejects.toMatchObject({ code: "failed_precondition", reason: "SCHEMA_TOO_NEW" });
    });
  });
}

const setVersion = (version: number) => ({
  sqlite: `pragma user_version = ${version};`,
  postgres: `
    create table if not exists duchenne_schema (version integer not null);
    delete from duchenne_schema;
    insert into duchenne_schema values (${version});`,
});
