import { mkdtemp, rm, utimes } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server that speaks S3, on a free port, with its files in a temporary folder. */
export interface S3Server {
  /** "s3://bucket/prefix?endpoint=...", each time another prefix of one bucket. */
  createPrefix(): string;
  readonly endpoint: string;
  /** Makes an object look as if it had been stored at another time. */
  setTime(key: string, time: Date): Promise<void>;
  stop(): Promise<void>;
}

/** What the server accepts. Set in the environment, where the AWS SDK looks for it. */
const CREDENTIALS = { AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER", AWS_REGION: "us-east-1" };

interface KoaContext {
  readonly method: string;
  readonly path: string;
  get(header: string): string;
  status: number;
  body: unknown;
}

interface S3rver {
  /** Koa's. */
  readonly middleware: ((context: KoaContext, next: () => Promise<void>) => Promise<void>)[];
  readonly store: { existsObject(bucket: string, key: string): Promise<boolean> };
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
  server.middleware.unshift(refuseSkewed, conditionalPut(server.store));
  const { port } = await server.run();
  Object.assign(process.env, CREDENTIALS);
  const endpoint = `http://127.0.0.1:${port}`;
  let made = 0;
  return {
    endpoint,
    createPrefix: () => `s3://duchenne-test/store-${++made}?endpoint=${encodeURIComponent(endpoint)}`,
    setTime: (key, time) => utimes(join(directory, "duchenne-test", `${key}._S3rver_object`), time, time),
    async stop() {
      server.httpServer.closeAllConnections();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** S3 takes what was signed within a quarter of an hour. */
const MAX_SKEW_MS = 900_000;
/** The server's clock, taken before tests let this process's jump: that of a machine of its own. */
const serverNow = Date.now;

/** What S3 does and the package only means to do: what was signed at another time is refused. */
const refuseSkewed: S3rver["middleware"][number] = async (context, next) => {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(context.get("X-Amz-Date")) ?? [];
  const [year = 0, month = 0, ...rest] = parts.map(Number);
  const isSkewed = parts.length > 0 && Math.abs(serverNow() - Date.UTC(year, month - 1, ...rest)) > MAX_SKEW_MS;
  if (!isSkewed) return next();
  context.status = 403;
  context.body = "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large</Message></Error>";
};

/** What S3 does and the package does not: a PUT with "If-None-Match: *" does not replace an object. */
function conditionalPut(store: S3rver["store"]): S3rver["middleware"][number] {
  const writing = new Set<string>();
  return async (context, next) => {
    const { path } = context;
    if (context.method !== "PUT" || context.get("If-None-Match") !== "*") return next();
    const isTaken = writing.has(path);
    writing.add(path);
    try {
      const [, bucket = "", ...key] = path.split("/").map(decodeURIComponent);
      if (!isTaken && !(await store.existsObject(bucket, key.join("/")))) return await next();
      context.status = 412;
      context.body = "<Error><Code>PreconditionFailed</Code><Message>There is such an object</Message></Error>";
    } finally {
      if (!isTaken) writing.delete(path);
    }
  };
}
