/** What tests of stores start: PostgreSQL, a server that speaks S3, and stores on them. */
export { type ContractDriver, connectedDrivers, contractDrivers, mixedDrivers, putObject } from "./contract-driver.ts";
export { persistently } from "./persistently.ts";
export { type PostgresServer, startPostgres } from "./postgres-server.ts";
export { type S3Server, startS3 } from "./s3-server.ts";
export { type StoreFixture, useStore } from "./use-store.ts";
