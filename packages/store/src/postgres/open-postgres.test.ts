import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../test-fixtures/index.ts";
import { type NetworkProxy, startProxy } from "../../test-fixtures/network-proxy.ts";
import type { Database } from "../database.ts";
import { StoreRefusedError, StoreUnavailableError } from "../errors.ts";
import { openPostgres } from "./open-postgres.ts";

let server: PostgresServer;
let url: string;
let opened: Database[];
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());
beforeEach(async () => {
  url = await server.createDatabase();
  opened = [];
});
afterEach(async () => {
  for (const database of opened) await database.close();
});

const open = async (...args: Parameters<typeof openPostgres>) => {
  const database = await openPostgres(...args);
  opened.push(database);
  return database;
};
const one = ({ kysely }: Database) => sql<{ one: number }>`select 1 as one`.execute(kysely);

describe("a PostgreSQL database", () => {
  it("that thinks for too long is unavailable", async () => {
    const database = await open(url, { statementMs: 50 });
    const slow = sql`select pg_sleep(60)`.execute(database.kysely);
    await expect(slow).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(slow).rejects.toThrow("canceling statement due to statement timeout");
    expect((await one(database)).rows).toEqual([{ one: 1 }]);
  });

  it("that ends a transaction which stands still is unavailable", async () => {
    const database = await open(url, { idleTransactionMs: 50 });
    const still = database.transaction(async (tx) => {
      const ended = () =>
        one(database).then(() =>
          server.execute(url, "select 1 from pg_stat_activity where state = 'idle in transaction'"),
        );
      while ((await ended()).length > 0);
      await sql`select 1`.execute(tx);
    });
    await expect(still).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  it("that gives a lock to nobody else in time is unavailable", async () => {
    const database = await open(url, { lockMs: 50 });
    const waiting = database.transaction(async (tx) => {
      await database.lock(tx, "name");
      await database.transaction((other) => database.lock(other, "name"));
    });
    await expect(waiting).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  /** With its database's name, for a proxy's port. */
  const through = ({ port }: NetworkProxy) => url.replace(/:\d+\//, `:${port}/`);

  it("behind a network that drops everything is unavailable in time, and goes on when the network does", async () => {
    const proxy = await startProxy(Number(new URL(url).port));
    const database = await open(through(proxy), { silenceMs: 2_000 });
    await one(database);
    proxy.silence();
    const lost = Promise.allSettled([one(database), database.transaction((tx) => sql`select 1`.execute(tx))]);
    for (const each of await lost) {
      expect(each).toMatchObject({ status: "rejected", reason: { reason: "STORE_UNAVAILABLE" } });
    }
    proxy.restore();
    // None of the connections that were lost is used again.
    for (let i = 0; i < 12; i++) expect((await one(database)).rows).toEqual([{ one: 1 }]);
    await proxy.stop();
  });

  it("that takes a connection and never answers is unavailable in time", async () => {
    const proxy = await startProxy(Number(new URL(url).port));
    proxy.silence();
    await expect(open(through(proxy), { connectMs: 100 })).rejects.toBeInstanceOf(StoreUnavailableError);
    await proxy.stop();
  });

  it("that does not let a user in, or do something, refuses", async () => {
    await expect(open(url.replace("postgres@", "nobody@"))).rejects.toBeInstanceOf(StoreRefusedError);
    await open(url);
    const role = `reader_${new URL(url).pathname.slice(1)}`;
    await server.execute(url, `create role ${role} login`);
    const refused = open(url.replace("postgres@", `${role}@`));
    await expect(refused).rejects.toBeInstanceOf(StoreRefusedError);
    await expect(refused).rejects.toThrow(/refuses: permission denied for/);
  });

  it.each([
    ["40001", "STORE_UNAVAILABLE"],
    ["53300", "STORE_UNAVAILABLE"],
    ["53200", "STORE_UNAVAILABLE"],
    ["57P01", "STORE_UNAVAILABLE"],
    ["25006", "STORE_UNAVAILABLE"],
    ["58030", "STORE_UNAVAILABLE"],
    ["53100", "DISK_FULL"],
    ["42501", "STORE_REFUSED"],
    ["28P01", "STORE_REFUSED"],
    ["XX001", "STORE_DAMAGED"],
  ])("that fails with %s tells %s", async (state, reason) => {
    const database = await open(url);
    await expect(raise(database, state)).rejects.toMatchObject({ reason });
  });

  it("tells what is wrong with a query as it is", async () => {
    const database = await open(url);
    await expect(raise(database, "22012")).rejects.toMatchObject({ code: "22012" });
  });

  it("is asked again for a transaction that it undid for another's sake", async () => {
    const database = await open(url);
    let tries = 0;
    await database.transaction(async (tx) => {
      if (++tries < 3) await raise({ kysely: tx }, "40001");
    });
    expect(tries).toBe(3);
  });
});

const raise = ({ kysely }: Pick<Database, "kysely">, state: string) =>
  sql.raw(`do $$ begin raise exception using errcode = '${state}'; end $$`).execute(kysely);
