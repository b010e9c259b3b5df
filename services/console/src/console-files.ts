import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { gzipSync } from "node:zlib";
import type { WebFile, WebFiles } from "@duchenne/rpc";
import { BUILT_FOLDER } from "./places.ts";

/** What a built page consists of; a file of another kind is a mistake of the build. */
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** All that the page needs comes from where it came from, and what it shows from the user's own machine. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob: mediastream:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const EVERY_FILE = { "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin" };

const THE_PAGE = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
  "Referrer-Policy": "no-referrer",
};

const NOT_BUILT = "The live page was not built. Run `npm run setup`, then start the server again.\n";

/**
 * Reads the built page, to be served as it is now. Where it was not built, the page says how to do so.
 *
 * @param folder default: where `buildConsole` puts it
 */
export async function consoleFiles(folder = BUILT_FOLDER): Promise<WebFiles> {
  const files = new Map<string, WebFile>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(absent);
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.startsWith(".")) continue;
    const file = join(entry.parentPath, entry.name);
    const path = `/${relative(folder, file).split(sep).join("/")}`;
    files.set(path === "/index.html" ? "/" : path, webFile(path, await readFile(file)));
  }
  if (!files.has("/")) {
    const headers = { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" };
    files.set("/", { bytes: Buffer.from(NOT_BUILT), status: 404, headers });
  }
  return files;
}

function absent(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOENT") return [];
  throw error;
}

function webFile(path: string, bytes: Buffer): WebFile {
  const type = TYPES[extname(path)];
  if (type === undefined) {
    throw new Error(`Expected files of the page to be ${Object.keys(TYPES).join(", ")}, got ${path}`);
  }
  // Vite names what lies in assets/ by its content.
  const isNamedByContent = path.startsWith("/assets/");
  return {
    bytes,
    gzipped: gzipSync(bytes, { level: 9 }),
    headers: {
      "Content-Type": type,
      "Cache-Control": isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache",
      ETag: `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
      ...EVERY_FILE,
      ...(path.endsWith(".html") && THE_PAGE),
    },
  };
}
