import type { ServerResponse } from "node:http";
import type { ConnectNodeAdapterOptions } from "@connectrpc/connect-node";

/** A file that browsers can ask the Connect port for. */
export interface WebFile {
  readonly bytes: Uint8Array;
  /** The same bytes compressed, for who takes them so. */
  readonly gzipped?: Uint8Array | undefined;
  /** Default: 200. */
  readonly status?: number;
  /** What is said of it, such as its type; with an "ETag", who has it already is not sent it again. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Files by the path that they are asked for by, such as "/" or "/assets/main.js". What is not in it is not there: nothing
 * that a caller writes is ever looked up on a disk.
 */
export type WebFiles = ReadonlyMap<string, WebFile>;

/** Answers GET and HEAD of these files, and that anything else is not there. */
export function serveWebFiles(files: WebFiles): NonNullable<ConnectNodeAdapterOptions["fallback"]> {
  return (request, either) => {
    // Both have what is used here, but their types do not meet.
    const response = either as ServerResponse;
    const file = files.get((request.url ?? "").split(/[?#]/, 1)[0]!);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { Allow: "GET, HEAD" }).end();
      return;
    }
    for (const [name, value] of Object.entries(file.headers)) response.setHeader(name, value);
    if (file.gzipped !== undefined) response.appendHeader("Vary", "Accept-Encoding");
    const tag = file.headers.ETag;
    if (tag !== undefined && listed(request.headers["if-none-match"], tag)) {
      response.writeHead(304).end();
      return;
    }
    const compressed = file.gzipped !== undefined && /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
    if (compressed) response.setHeader("Content-Encoding", "gzip");
    const bytes = compressed ? file.gzipped! : file.bytes;
    response.setHeader("Content-Length", bytes.length);
    response.writeHead(file.status ?? 200);
    response.end(request.method === "HEAD" ? undefined : bytes);
  };
}

function listed(ifNoneMatch: string | undefined, tag: string): boolean {
  return ifNoneMatch?.split(",").some((each) => each.trim() === tag) ?? false;
}
