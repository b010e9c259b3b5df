import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { createResourcePool, type ResourcePool, TooFewGpusError } from "@duchenne/jobs";
import { createLogger, createRpcServer, type Logger, type ServiceHandler, type WebFiles } from "@duchenne/rpc";
import { startTelemetry, type Telemetry } from "@duchenne/rpc/telemetry";
import {
  openStore,
  SchemaTooNewError,
  type Store,
  StoreAddressError,
  StoreDamagedError,
  type StoreLocation,
  StoreMismatchError,
  StoreRefusedError,
  StoreUnavailableError,
} from "@duchenne/store";
import { ConfigurationError, HelpRequested, type ProcessConfig } from "./config-source.ts";
import { ensureBuiltInModel } from "./describe-version.ts";

/** The version that processes report. */
export const PRODUCT_VERSION = "0.1.0";

/** What a service stands on. */
export interface ServiceContext {
  readonly store: Store;
  readonly logger: Logger;
  /** Where the store is, for child processes. */
  readonly location: StoreLocation;
  /** The data folder, absolute. */
  readonly dataDirectory: string;
  /** What jobs may take of this machine, whichever service runs them. */
  readonly resources: ResourcePool;
  /** How long a job stays this process's without a sign of it. */
  readonly leaseMs: number;
  /** How long an attempt may give no sign of life. */
  readonly stallMs: number;
  /** Passed on to child processes. */
  readonly otlpEndpoint: string | undefined;
  /** The largest file of weights that is taken, in bytes. */
  readonly maxImportBytes: number;
}

/** A service (or several) in a process. Whoever made it closes it. */
export interface HostedService {
  /** What it serves. */
  readonly handlers: readonly ServiceHandler[];
  /** A page for browsers on the Connect port. */
  readonly files?: WebFiles | undefined;
  /** Ends what runs in the background; running jobs may save a checkpoint within `graceMs` and stay claimable. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** A process of the product. */
export interface ServiceProcessOptions {
  /** The process's name, such as "detector". */
  readonly name: string;
  readonly config: ProcessConfig;
  /** Makes the services; when it resolves they can answer. */
  readonly create: (context: ServiceContext) => Promise<HostedService>;
}

/** A running process's servers. */
export interface ServiceProcess {
  readonly grpcPort: number;
  readonly connectPort: number;
  /** Whether there is a page to open on the Connect port. */
  readonly hasPage: boolean;
  /** Stops taking calls, lets running ones end, then closes everything. Later calls return the same promise. */
  close(): Promise<void>;
}

/** Starts telemetry, the store, the services and their server, in this order; nothing listens before all is ready. */
export async function startServiceProcess({ name, config, create }: ServiceProcessOptions): Promise<ServiceProcess> {
  const logger = createLogger({ name: `duchenne-${name}`, level: config.logLevel });
  const dataDirectory = resolve(config.data);
  await mkdir(dataDirectory, { recursive: true });
  const telemetry: Telemetry = startTelemetry({
    serviceName: `duchenne-${name}`,
    version: PRODUCT_VERSION,
    otlpEndpoint: config.otlpEndpoint,
  });
  const closers: (() => Promise<void>)[] = [() => telemetry.shutdown()];
  const closeAll = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const { database, objects, datasetCacheBytes } = config;
    const location = { directory: dataDirectory, database, objects, datasetCacheBytes };
    const store = await openStore(location);
    closers.push(() => store.close());
    await ensureBuiltInModel(store);
    const { leaseMs, stallMs, otlpEndpoint, maxImportBytes } = config;
    const resources = createResourcePool(config.resources);
    const supervision = { resources, leaseMs, stallMs, otlpEndpoint };
    const context = { store, location, logger, dataDirectory, ...supervision, maxImportBytes };
    const hosted = await create(context);
    closers.push(() => hosted.close({ graceMs: config.shutdownGraceMs }));
    const server = await createRpcServer({
      services: hosted.handlers,
      grpc: { host: config.host, port: config.grpcPort },
      connect: {
        host: config.host,
        port: config.connectPort,
        corsOrigins: config.corsOrigins,
        files: hosted.files,
      },
      limits: { maxRequestBytes: config.maxRequestBytes, maxStreamsPerPeer: config.maxStreamsPerPeer },
      logger,
    });
    closers.push(() => server.close({ graceMs: config.shutdownGraceMs }));
    const page = hosted.files?.get("/");
    let closed: Promise<void> | undefined;
    return {
      grpcPort: server.grpcPort!,
      connectPort: server.connectPort!,
      hasPage: page !== undefined && (page.status ?? 200) === 200,
      close: () => (closed ??= closeAll()),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/**
 * The whole life of a process: reads its configuration, starts, prints one line when it is ready, and closes on SIGTERM
 * or SIGINT; a second signal ends it at once. Exit code 2: the configuration is wrong; 1: it could not start.
 */
export async function runServiceProcess<C extends ProcessConfig>(options: {
  readonly name: string;
  readonly readConfig: () => C;
  readonly create: (context: ServiceContext, config: C) => Promise<HostedService>;
}): Promise<void> {
  const { name } = options;
  try {
    const config = options.readConfig();
    const running = await startServiceProcess({ name, config, create: (context) => options.create(context, config) });
    let signals = 0;
    const onSignal = (): void => {
      if (signals++ > 0) process.exit(130);
      void running.close().then(
        () => process.exit(0),
        (error: unknown) => fail(name, error),
      );
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
    process.stdout.write(`${readyLine(name, config, running)}\n`);
  } catch (error) {
    fail(name, error);
  }
}

function readyLine(name: string, config: ProcessConfig, running: ServiceProcess): string {
  const { grpcPort, connectPort, hasPage } = running;
  if (config.json) {
    return JSON.stringify({
      event: "ready",
      process: name,
      host: config.host,
      grpcPort,
      connectPort,
      pid: process.pid,
    });
  }
  const connect = hasPage ? "Connect and the live page" : "Connect";
  return `duchenne ${name} is ready: gRPC on ${config.host}:${grpcPort}, ${connect} on http://${config.host}:${connectPort}`;
}

const CONFIGURATION_ERRORS = [ConfigurationError, StoreAddressError, TooFewGpusError];
const STORE_ERRORS = [
  StoreUnavailableError,
  StoreRefusedError,
  StoreDamagedError,
  StoreMismatchError,
  SchemaTooNewError,
];

function fail(name: string, error: unknown): never {
  if (error instanceof HelpRequested) {
    process.stdout.write(`duchenne ${name}\n\n${error.message}\n`);
    process.exit(0);
  }
  const isConfiguration = CONFIGURATION_ERRORS.some((kind) => error instanceof kind);
  // What is wrong with them lies outside: where in the program it was noticed helps nobody.
  const isPlain = isConfiguration || STORE_ERRORS.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (isPlain ? error.message : error.stack) : String(error);
  process.stderr.write(`duchenne ${name} could not ${isPlain ? "start" : "run"}. ${text}\n`);
  process.exit(isConfiguration ? 2 : 1);
}
