import { chainInterceptors, type Interceptor } from "./call.ts";
import { createHealth, type Health } from "./health.ts";
import { errorInterceptor } from "./interceptors/errors.ts";
import { interruptionInterceptor } from "./interceptors/interruption.ts";
import { peerStreamsInterceptor } from "./interceptors/peer-streams.ts";
import { telemetryInterceptor } from "./interceptors/telemetry.ts";
import { validationInterceptor } from "./interceptors/validation.ts";
import { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
import type { Logger } from "./logger.ts";
import { createOpenCalls } from "./open-calls.ts";
import { createReflection } from "./reflection.ts";
import type { ServiceHandler } from "./service-handler.ts";
import { createConnectServer } from "./transports/connect-server.ts";
import { createGrpcServer } from "./transports/grpc-server.ts";
import type { TransportServer } from "./transports/transport-server.ts";
import type { WebFiles } from "./transports/web-files.ts";

/** Where to listen. */
export interface ListenAddress {
  /** The address to bind, such as "127.0.0.1" or "0.0.0.0". */
  readonly host: string;
  /** The port; 0 takes a free one. */
  readonly port: number;
}

/** Keys in PEM form. */
export interface TlsOptions {
  /** The private key. */
  readonly key: Buffer;
  /** The certificate chain. */
  readonly cert: Buffer;
  /** Certificates that sign clients; when given, a client must show a certificate signed by one (mTLS). */
  readonly clientCa?: Buffer;
}

/** What createRpcServer serves, and where. */
export interface RpcServerOptions {
  /** The services; health and reflection are added. */
  readonly services: readonly ServiceHandler[];
  /** Serves gRPC over HTTP/2 with grpc-js. */
  readonly grpc?: ListenAddress;
  /** Serves Connect, gRPC-Web and gRPC over HTTP/1.1 and HTTP/2 with connect-node. */
  readonly connect?: ListenAddress & {
    /** Origins of browsers that may call, or "*"; default: none but the server's own. */
    readonly corsOrigins?: readonly string[];
    /** A page on the same port; default: none. */
    readonly files?: WebFiles | undefined;
  };
  /** Default: plain text. */
  readonly tls?: TlsOptions;
  /** Default: DEFAULT_LIMITS. */
  readonly limits?: Partial<RpcLimits>;
  /** Run after telemetry, errors and limits and before validation, outermost first: authentication belongs here. */
  readonly interceptors?: readonly Interceptor[];
  /** Where errors are written in full. */
  readonly logger: Logger;
}

/** A running server. */
export interface RpcServer {
  /** The gRPC port; undefined when gRPC is not served. */
  readonly grpcPort: number | undefined;
  /** The Connect port; undefined when Connect is not served. */
  readonly connectPort: number | undefined;
  /** The health the server reports: every service is "serving" from the start. */
  readonly health: Health;
  /**
   * Stops gracefully: health turns to not_serving, no new call is taken, running ones may end within `graceMs` (default
   * 10,000), then they are cut off. Resolves when every socket is closed; later calls return the same promise.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Starts a server. Start telemetry before: the server takes its instruments when it is created. Rejects when an address
 * cannot be bound, with nothing left open.
 *
 *     const server = await createRpcServer({
 *       services: [serviceHandler(DetectorService, detector)],
 *       grpc: { host: "127.0.0.1", port: 0 },
 *       logger: createLogger({ name: "duchenne-detector" }),
 *     });
 */
export async function createRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { logger, tls } = options;
  const limits: RpcLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const interceptors = [
    telemetryInterceptor(),
    errorInterceptor(logger),
    interruptionInterceptor(logger),
    peerStreamsInterceptor(limits.maxStreamsPerPeer),
    ...(options.interceptors ?? []),
    validationInterceptor(),
  ];
  const calls = createOpenCalls(limits, (handler) => chainInterceptors(interceptors, handler));
  const { health, handler, stop } = createHealth(options.services.map(({ service }) => service.typeName));
  const services = [...options.services, handler];
  services.push(...createReflection(services));

  const transports: TransportServer[] = [];
  const listen = async (transport: Promise<TransportServer>): Promise<number> => {
    const server = await transport;
    transports.push(server);
    return server.port;
  };
  let grpcPort: number | undefined;
  let connectPort: number | undefined;
  try {
    const shared = { calls, limits, tls };
    if (options.grpc !== undefined) grpcPort = await listen(createGrpcServer(services, options.grpc, shared));
    if (options.connect !== undefined) {
      connectPort = await listen(createConnectServer(services, options.connect, shared));
    }
  } catch (error) {
    for (const transport of transports) transport.destroy();
    throw error;
  }

  async function stopServer(graceMs: number): Promise<void> {
    stop();
    const drained = calls.drain();
    const closed = Promise.all(transports.map((transport) => transport.close()));
    if (!(await within(drained, graceMs))) calls.abort();
    // The last statuses still have to leave. A client that holds its connection open without a call is not waited for.
    if (!(await within(Promise.all([drained, closed]), FAREWELL_MS))) {
      for (const transport of transports) transport.destroy();
    }
    await closed;
  }

  let closing: Promise<void> | undefined;
  return {
    grpcPort,
    connectPort,
    health,
    close({ graceMs = 10_000 } = {}) {
      closing ??= stopServer(graceMs);
      return closing;
    },
  };
}

const FAREWELL_MS = 1_000;

/** True when the work is done in time. */
async function within(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
