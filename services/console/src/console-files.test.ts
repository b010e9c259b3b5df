import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildConsole } from "./build-console.ts";
import { consoleFiles } from "./console-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "duchenne-console-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("has the page at the root and the rest by its path, with what each may be kept", async () => {
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), "<!doctype html>");
  await writeFile(join(folder, "assets", "main-1a2b.js"), "start();");
  await writeFile(join(folder, ".built-from"), "digest");
  const files = await consoleFiles(folder);
  expect([...files.keys()].sort()).toEqual(["/", "/assets/main-1a2b.js"]);
  const [page, script] = [files.get("/")!, files.get("/assets/main-1a2b.js")!];
  expect(page.headers).toMatchObject({
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
  });
  expect(page.headers["Content-Security-Policy"]).toMatch(
    /default-src 'none'; script-src 'self'.*frame-ancestors 'none'/,
  );
  expect(script.headers).toMatchObject({ "Cache-Control": "public, max-age=31536000, immutable" });
  expect(gunzipSync(script.gzipped!).toString()).toBe("start();");
  expect(page.headers.ETag).not.toBe(script.headers.ETag);
});

it("says how to build the page where it was not built", async () => {
  const files = await consoleFiles(join(folder, "nothing"));
  expect(files.size).toBe(1);
  const page = files.get("/")!;
  expect(page.status).toBe(404);
  expect(Buffer.from(page.bytes).toString()).toContain("npm run setup");
});

it("refuses what no page is made of", async () => {
  await writeFile(join(folder, "index.html"), "");
  await writeFile(join(folder, "keys.pem"), "");
  await expect(consoleFiles(folder)).rejects.toThrow(
    "Expected files of the page to be .html, .js, .css, .svg, got /keys.pem",
  );
});

it("builds a page that asks nobody but its own server for anything", async () => {
  await buildConsole();
  const files = await consoleFiles();
  expect(files.get("/")?.status).toBeUndefined();
  const html = Buffer.from(files.get("/")!.bytes).toString();
  const asked = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1]!);
  expect(asked.length).toBeGreaterThanOrEqual(3);
  for (const path of asked) expect(files.has(path.replace(/^\./, "")), path).toBe(true);
  const styles = [...files].filter(([path]) => path.endsWith(".css"));
  expect(styles).not.toEqual([]);
  for (const [path, { bytes }] of styles) expect(Buffer.from(bytes).toString(), path).not.toMatch(/url\(|@import/);
});
