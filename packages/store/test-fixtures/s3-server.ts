import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server that speaks S3, on a free port, with its files in a temporary folder. */
export interface S3Server {
  /** "s3://bucket/prefix?endpoint=...", each time another prefix of one bucket. */
  createPrefix(): string;
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** What the server accepts. Set in the environment, where the AWS SDK looks for it. */
const CREDENTIALS = { AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER", AWS_REGION: "us-east-1" };

interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
  readonly httpServer: { closeAllConnections(): void };
}

/** Starts a server with one bucket, and sets the environment's credentials to those it accepts. */
export async function startS3(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), "duchenne-s3-"));
  // The package has no types.
  const S3rver = createRequire(import.meta.url)("@20minutes/s3rver") as new (
    options: Readonly<Record<string, unknown>>,
  ) => S3rver;
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    allowMismatchedSignatures: true,
    directory,
    configureBuckets: [{ name: "duchenne-test" }],
  });
  const { port } = await server.run();
  Object.assign(process.env, CREDENTIALS);
  const endpoint = `http://127.0.0.1:${port}`;
  let made = 0;
  return {
    endpoint,
    createPrefix: () => `s3://duchenne-test/store-${++made}?endpoint=${encodeURIComponent(endpoint)}`,
    async stop() {
      server.httpServer.closeAllConnections();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
