import type { Server as HttpServer } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import { createServer, type Server } from "node:net";

// Every HTTP/2 connection begins with "PRI * HTTP/2.0"; no HTTP/1.1 method begins with "PRI".
const HTTP2_PREFACE = Buffer.from("PRI");

/**
 * A server that hands each plain-text connection to the HTTP/1.1 or the HTTP/2 server by its first bytes. Node tells
 * them apart only under TLS, but curl and browsers speak the one and gRPC clients the other, and one port is enough.
 */
export function splitHttpVersions(http1: HttpServer, http2: Http2Server | Http2SecureServer): Server {
  return createServer({ noDelay: true }, (socket) => {
    // A connection that breaks before it says anything is nobody's error.
    const ignore = () => {};
    socket.on("error", ignore);
    socket.setTimeout(http1.headersTimeout, () => socket.destroy());
    let head: Buffer = Buffer.alloc(0);
    const onReadable = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      head = Buffer.concat([head, chunk]);
      const start = head.subarray(0, HTTP2_PREFACE.length);
      const undecided = start.length < HTTP2_PREFACE.length && HTTP2_PREFACE.subarray(0, start.length).equals(start);
      if (undecided) return;
      socket.off("readable", onReadable);
      socket.off("error", ignore);
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      socket.unshift(head);
      (start.equals(HTTP2_PREFACE) ? http2 : http1).emit("connection", socket);
    };
    socket.on("readable", onReadable);
  });
}
