import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { StoreLocation } from "../src/index.ts";
import type { Migration } from "../src/migrations.ts";
import { parseS3Address } from "../src/objects/s3-address.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { type S3Server, startS3 } from "./s3-server.ts";

/** One way of keeping a store, with the servers that it needs. */
export interface ContractDriver {
  readonly name: string;
  start(): Promise<void>;
  /** A store in this folder that does not exist yet. */
  locate(directory: string): Promise<StoreLocation>;
  /** The same store as another process sees it that shares as little as it can: with a folder of its own if it may. */
  elsewhere(location: StoreLocation): StoreLocation;
  /** Asks the database, opened or not; answers the rows of the last statement. */
  execute(location: StoreLocation, statements: Migration): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Ends every connection to the database. There are none to end but with those of connectedDrivers. */
  cutConnections(location: StoreLocation): Promise<void>;
  /** Kills the database's server as a power cut would, and starts it again. There is none to kill but with those of connectedDrivers. */
  crash(): Promise<void>;
  /** Puts other bytes in place of an object's. @param folder "blobs", or a job's below "checkpoints" */
  damage(location: StoreLocation, folder: string, digest: string, bytes: Uint8Array): Promise<void>;
  /** Makes an object look as if it had been stored two days ago. @param folder "blobs", or a job's below "checkpoints" */
  makeOld(location: StoreLocation, folder: string, digest: string): Promise<void>;
  /** Puts another text in place of the mark of which database the objects belong to. */
  mark(location: StoreLocation, text: string): Promise<void>;
  stop(): Promise<void>;
  /** The same way, with more in the environment of the database's server; missing where there is no server. */
  withServerEnvironment?(environment: NodeJS.ProcessEnv): ContractDriver;
}

const twoDaysAgo = () => new Date(Date.now() - 2 * 24 * 3_600_000);

const sqliteAndFiles: ContractDriver = {
  name: "SQLite and files",
  start: async () => {},
  locate: async (directory) => ({ directory }),
  elsewhere: (location) => location,
  async execute({ directory }, { sqlite }) {
    const database = new DatabaseSync(join(directory, "duchenne.sqlite"), { timeout: 10_000 });
    try {
      const statements = sqlite
        .trimEnd()
        .split(/;\s*$/m)
        .filter((statement) => statement.trim() !== "");
      return statements.map((statement) => database.prepare(statement).all()).at(-1) ?? [];
    } finally {
      database.close();
    }
  },
  cutConnections: async () => {},
  crash: async () => {},
  damage: ({ directory }, folder, digest, bytes) =>
    writeFile(join(directory, folder, digest.slice(0, 2), digest.slice(2)), bytes),
  makeOld: ({ directory }, folder, digest) =>
    utimes(join(directory, folder, digest.slice(0, 2), digest.slice(2)), twoDaysAgo(), twoDaysAgo()),
  mark: ({ directory }, text) => writeFile(join(directory, "database-id"), text),
  stop: async () => {},
};

function postgresAndS3(environment: NodeJS.ProcessEnv = {}): ContractDriver {
  let postgres: PostgresServer | undefined;
  let s3: S3Server | undefined;
  return {
    name: "PostgreSQL and S3",
    async start() {
      [postgres, s3] = await Promise.all([startPostgres(environment), startS3()]);
    },
    locate: async (directory) => ({
      directory,
      database: await postgres!.createDatabase(),
      objects: s3!.createPrefix(),
    }),
    elsewhere: (location) => ({ ...location, directory: join(location.directory, "elsewhere") }),
    execute: ({ database }, statements) => postgres!.execute(database!, statements.postgres),
    cutConnections: ({ database }) => postgres!.cutConnections(database!),
    crash: () => postgres!.crash(),
    damage: (location, folder, digest, bytes) => putObject(location, `${folder}/${digest}`, bytes),
    makeOld: ({ objects }, folder, digest) =>
      s3!.setTime(`${parseS3Address(objects!).prefix}${folder}/${digest}`, twoDaysAgo()),
    mark: (location, text) => putObject(location, "database-id", Buffer.from(text)),
    async stop() {
      await Promise.all([postgres?.stop(), s3?.stop()]);
    },
    withServerEnvironment: postgresAndS3,
  };
}

/** Puts other bytes in place of an object, as no program of ours does. */
export async function putObject(
  { objects }: Pick<StoreLocation, "objects">,
  key: string,
  bytes: Uint8Array,
): Promise<void> {
  const { bucket, prefix, endpoint } = parseS3Address(objects!);
  const client = new S3Client({ endpoint: endpoint!, forcePathStyle: true });
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: prefix + key, Body: bytes }));
  client.destroy();
}

/** The ways of keeping a store in which a connection can be cut. */
export const connectedDrivers: readonly ContractDriver[] = [postgresAndS3()];

/** Every way of keeping a store: what holds for one holds for all. */
export const contractDrivers: readonly ContractDriver[] = [sqliteAndFiles, ...connectedDrivers];
