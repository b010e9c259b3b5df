import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttp2Server, createSecureServer, type Http2Session } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import { createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { RpcLimits } from "../limits.ts";
import type { OpenCalls } from "../open-calls.ts";
import type { ListenAddress, TlsOptions } from "../server.ts";
import type { ServiceHandler } from "../service-handler.ts";
import { addConnectService, peerKey } from "./connect-service.ts";
import { allowOrigins } from "./cors.ts";
import { CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES } from "./http2-windows.ts";
import { splitHttpVersions } from "./split-http-versions.ts";
import type { TransportServer } from "./transport-server.ts";
import { serveWebFiles, type WebFiles } from "./web-files.ts";

/**
 * Serves Connect, gRPC-Web and gRPC with connect-node, HTTP/1.1 and HTTP/2 on one port, with or without TLS, and files
 * for browsers. Rejects when the address cannot be bound.
 */
export async function createConnectServer(
  services: readonly ServiceHandler[],
  address: ListenAddress & { readonly corsOrigins?: readonly string[]; readonly files?: WebFiles | undefined },
  options: { readonly calls: OpenCalls; readonly limits: RpcLimits; readonly tls: TlsOptions | undefined },
): Promise<TransportServer> {
  const { limits, tls } = options;
  const handle = allowOrigins(
    address.corsOrigins ?? [],
    connectNodeAdapter({
      routes: (router) => {
        for (const handler of services) addConnectService(router, handler, options.calls);
      },
      readMaxBytes: limits.maxRequestBytes,
      writeMaxBytes: limits.maxResponseBytes,
      // Landmarks and reports compress well; scores do not repay the time.
      compressMinBytes: 32 * 1024,
      ...(address.files && { fallback: serveWebFiles(address.files) }),
      contextValues: ({ socket }) => {
        const peer = socket.remoteAddress === undefined ? "unknown" : `${socket.remoteAddress}:${socket.remotePort}`;
        return createContextValues().set(peerKey, peer);
      },
    }),
  );

  const settings = {
    initialWindowSize: STREAM_WINDOW_BYTES,
    maxConcurrentStreams: limits.maxConcurrentStreamsPerConnection,
  };
  const sessions = new Set<Http2Session>();
  const http1 = createHttpServer(handle);
  const http2 =
    tls === undefined
      ? createHttp2Server({ settings }, handle)
      : createSecureServer({ settings, allowHTTP1: true, ...secureOptions(tls) }, handle);
  http2.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.once("close", () => sessions.delete(session));
  });
  const front: NetServer = tls === undefined ? splitHttpVersions(http1, http2) : http2;
  const sockets = new Set<{ destroy(): void }>();
  front.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    front.once("error", reject);
    front.listen(address.port, address.host, () => {
      front.off("error", reject);
      resolve();
    });
  });

  let closed: Promise<void> | undefined;
  return {
    port: (front.address() as AddressInfo).port,
    close() {
      // Closing a server leaves its HTTP/2 sessions and kept-alive HTTP/1.1 connections open.
      closed ??= new Promise((resolve) => {
        front.close(() => resolve());
        for (const session of sessions) session.close();
        closeIdle(http1);
      });
      return closed;
    },
    destroy() {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function secureOptions(tls: TlsOptions) {
  const pair = { key: tls.key, cert: tls.cert };
  if (tls.clientCa === undefined) return pair;
  return { ...pair, ca: tls.clientCa, requestCert: true, rejectUnauthorized: true };
}

/** Ends kept-alive connections now and, since each ends its last call later, again whenever a response is done. */
function closeIdle(server: HttpServer): void {
  server.closeIdleConnections();
  server.on("request", (_request, response) => response.once("close", () => server.closeIdleConnections()));
}
