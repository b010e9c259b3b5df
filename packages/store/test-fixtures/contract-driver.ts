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

/** The database of a way of keeping a store. */
type DatabaseDriver = Pick<ContractDriver, "name" | "start" | "execute" | "cutConnections" | "crash" | "stop"> & {
  /** A database that does not exist yet; undefined: in the folder. */
  locate(): Promise<string | undefined>;
};

/** The objects of a way of keeping a store. */
type ObjectsDriver = Pick<ContractDriver, "name" | "start" | "damage" | "makeOld" | "mark" | "stop"> & {
  /** A place where there are none yet; undefined: in the folder. */
  locate(): string | undefined;
};

const sqlite: DatabaseDriver = {
  name: "SQLite",
  start: async () => {},
  locate: async () => undefined,
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
  stop: async () => {},
};

const files: ObjectsDriver = {
  name: "files",
  start: async () => {},
  locate: () => undefined,
  damage: ({ directory }, folder, digest, bytes) =>
    writeFile(join(directory, folder, digest.slice(0, 2), digest.slice(2)), bytes),
  makeOld: ({ directory }, folder, digest) =>
    utimes(join(directory, folder, digest.slice(0, 2), digest.slice(2)), twoDaysAgo(), twoDaysAgo()),
  mark: ({ directory }, text) => writeFile(join(directory, "database-id"), text),
  stop: async () => {},
};

function postgres(environment: NodeJS.ProcessEnv = {}): DatabaseDriver {
  let server: PostgresServer | undefined;
  return {
    name: "PostgreSQL",
    async start() {
      server = await startPostgres(environment);
    },
    locate: () => server!.createDatabase(),
    execute: ({ database }, statements) => server!.execute(database!, statements.postgres),
    cutConnections: ({ database }) => server!.cutConnections(database!),
    crash: () => server!.crash(),
    stop: async () => server?.stop(),
  };
}

function s3(): ObjectsDriver {
  let server: S3Server | undefined;
  return {
    name: "S3",
    async start() {
      server = await startS3();
    },
    locate: () => server!.createPrefix(),
    damage: (location, folder, digest, bytes) => putObject(location, `${folder}/${digest}`, bytes),
    makeOld: ({ objects }, folder, digest) =>
      server!.setTime(`${parseS3Address(objects!).prefix}${folder}/${digest}`, twoDaysAgo()),
    mark: (location, text) => putObject(location, "database-id", Buffer.from(text)),
    stop: async () => server?.stop(),
  };
}

function keptIn(database: DatabaseDriver, objects: ObjectsDriver): ContractDriver {
  const { execute, cutConnections, crash } = database;
  const { damage, makeOld, mark } = objects;
  return {
    name: `${database.name} and ${objects.name}`,
    async start() {
      await Promise.all([database.start(), objects.start()]);
    },
    async locate(directory) {
      const [ofDatabase, ofObjects] = [await database.locate(), objects.locate()];
      return {
        directory,
        ...(ofDatabase !== undefined && { database: ofDatabase }),
        ...(ofObjects !== undefined && { objects: ofObjects }),
      };
    },
    elsewhere: (location) =>
      location.database === undefined || location.objects === undefined
        ? location
        : { ...location, directory: join(location.directory, "elsewhere") },
    execute,
    cutConnections,
    crash,
    damage,
    makeOld,
    mark,
    async stop() {
      await Promise.all([database.stop(), objects.stop()]);
    },
  };
}

const postgresAndS3 = (environment?: NodeJS.ProcessEnv): ContractDriver => ({
  ...keptIn(postgres(environment), s3()),
  withServerEnvironment: postgresAndS3,
});

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

/** The ways of keeping a store on one machine and on many: what holds for one holds for all. */
export const contractDrivers: readonly ContractDriver[] = [keptIn(sqlite, files), ...connectedDrivers];

/** The other ways: each part can be chosen without the other. */
export const mixedDrivers: readonly ContractDriver[] = [keptIn(sqlite, s3()), keptIn(postgres(), files)];
