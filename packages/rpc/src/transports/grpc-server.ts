import type { Http2Server, ServerHttp2Session } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { RpcLimits } from "../limits.ts";
import type { OpenCalls } from "../open-calls.ts";
import type { ListenAddress, TlsOptions } from "../server.ts";
import type { ServiceHandler } from "../service-handler.ts";
import { grpcService } from "./grpc-service.ts";
import { CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES } from "./http2-windows.ts";
import type { TransportServer } from "./transport-server.ts";

/** Serves gRPC with grpc-js. Rejects when the address cannot be bound. */
export async function createGrpcServer(
  services: readonly ServiceHandler[],
  address: ListenAddress,
  options: { readonly calls: OpenCalls; readonly limits: RpcLimits; readonly tls: TlsOptions | undefined },
): Promise<TransportServer> {
  const { limits, tls } = options;
  const server = new Server({
    "grpc.max_receive_message_length": limits.maxRequestBytes,
    "grpc.max_send_message_length": limits.maxResponseBytes,
    "grpc.max_concurrent_streams": limits.maxConcurrentStreamsPerConnection,
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
  });
  setStreamWindow(server);
  for (const handler of services) {
    const { definition, implementation } = grpcService(handler, options.calls);
    server.addService(definition, implementation);
  }
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${address.port}`, credentials(tls), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  setConnectionWindow(server);

  const closed = Promise.withResolvers<void>();
  return {
    port,
    close() {
      server.tryShutdown(() => closed.resolve());
      return closed.promise;
    },
    destroy() {
      server.forceShutdown();
      // tryShutdown forgets its callback when sessions are destroyed under it.
      closed.resolve();
    },
  };
}

function credentials(tls: TlsOptions | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = { private_key: tls.key, cert_chain: tls.cert };
  return ServerCredentials.createSsl(tls.clientCa ?? null, [pair], tls.clientCa !== undefined);
}

/*
 * grpc-js has no option for a server's HTTP/2 windows, and their default of 64 KiB starves streams of images that share
 * a connection. These two reach for the fields it keeps its HTTP/2 settings and servers in; a test looks at the windows
 * a client sees, so that a release which moves the fields does not pass unseen.
 */
function setStreamWindow(server: Server): void {
  const http2Options: unknown = Reflect.get(server, "commonServerOptions");
  if (typeof http2Options !== "object" || http2Options === null) return;
  const settings: unknown = Reflect.get(http2Options, "settings");
  Reflect.set(http2Options, "settings", { ...(settings as object), initialWindowSize: STREAM_WINDOW_BYTES });
}

function setConnectionWindow(server: Server): void {
  const http2Servers: unknown = Reflect.get(server, "http2Servers");
  if (!(http2Servers instanceof Map)) return;
  for (const http2Server of (http2Servers as Map<Http2Server, unknown>).keys()) {
    http2Server.on("session", (session: ServerHttp2Session) => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
  }
}
