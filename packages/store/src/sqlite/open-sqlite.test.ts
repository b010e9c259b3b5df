import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DiskFullError } from "../disk-full.ts";
import { StoreDamagedError, StoreUnavailableError } from "../errors.ts";
import { migrations } from "../migrations.ts";
import { openSqlite } from "./open-sqlite.ts";
import { isBusy, sqliteError } from "./sqlite-error.ts";

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "duchenne-sqlite-"));
  path = join(directory, "duchenne.sqlite");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("a SQLite database", () => {
  it("that another process keeps locked is unavailable, and goes on when it is free", async () => {
    const database = await openSqlite(path, { lockTimeoutMs: 50 });
    const other = new DatabaseSync(path);
    const count = () => database.transaction((tx) => sql<{ n: number }>`select count(*) as n from models`.execute(tx));
    other.exec("begin immediate");
    await expect(count()).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(count()).rejects.toThrow(`The database ${path} cannot be used: database is locked`);
    await expect(openSqlite(path, { openTimeoutMs: 50 })).rejects.toBeInstanceOf(StoreUnavailableError);
    other.exec("rollback");
    expect((await count()).rows).toEqual([{ n: 0 }]);
    other.close();
    await database.close();
  });

  it("is told to be locked by extended codes as well", () => {
    const [reader, writer] = [new DatabaseSync(path), new DatabaseSync(path)];
    reader.exec("pragma journal_mode = wal; create table t (n integer) strict; begin; select n from t;");
    writer.exec("insert into t values (1)");
    let refused: unknown;
    try {
      reader.exec("insert into t values (2)");
    } catch (error) {
      refused = error;
    }
    // SQLITE_BUSY_SNAPSHOT: SQLITE_BUSY and a reason.
    expect(refused).toMatchObject({ errcode: 5 + 256 * 2 });
    expect(isBusy(refused)).toBe(true);
    expect(sqliteError(path, refused)).toBeInstanceOf(StoreUnavailableError);
    for (const each of [reader, writer]) each.close();
  });

  it("keeps nothing of a migration that fails, and can be opened at once", async () => {
    const broken = { sqlite: "create table half (n integer) strict; insert into missing values (1);", postgres: "" };
    await expect(openSqlite(path, { migrations: [...migrations, broken] })).rejects.toThrow("no such table: missing");
    const sqlite = new DatabaseSync(path);
    expect(sqlite.prepare("select name from sqlite_master").all()).toEqual([]);
    expect(sqlite.prepare("pragma user_version").get()).toEqual({ user_version: 0 });
    sqlite.close();
    await (await openSqlite(path, { openTimeoutMs: 0 })).close();
  });

  it("says that the disk is full when a migration finds no room, although SQLite has undone it already", async () => {
    const large = {
      sqlite: "pragma max_page_count = 3; create table t (b blob) strict; insert into t values (zeroblob(100000));",
      postgres: "",
    };
    await expect(openSqlite(path, { migrations: [large] })).rejects.toBeInstanceOf(DiskFullError);
    await (await openSqlite(path)).close();
  });

  it("that is no database is damaged, and is left as it is", async () => {
    await writeFile(path, "not a database at all, but a text of some length".repeat(100));
    await expect(openSqlite(path)).rejects.toBeInstanceOf(StoreDamagedError);
    await expect(openSqlite(path)).rejects.toMatchObject({ code: "data_loss", reason: "STORE_DAMAGED" });
  });
});
