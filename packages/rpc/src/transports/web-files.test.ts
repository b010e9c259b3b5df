import { connect } from "node:http2";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createEchoServices, recordingLogger } from "../../test-fixtures/echo-service.ts";
import { createRpcServer, type RpcServer, type WebFile } from "../index.ts";

const text = "hello ".repeat(50);
const page: WebFile = {
  bytes: Buffer.from(text),
  gzipped: gzipSync(text),
  headers: { "Content-Type": "text/html; charset=utf-8", ETag: 'W/"1"' },
};
const missing: WebFile = { bytes: Buffer.from("not built"), status: 404, headers: { "Content-Type": "text/plain" } };

let server: RpcServer;
beforeEach(async () => {
  server = await createRpcServer({
    services: createEchoServices().services,
    connect: {
      host: "127.0.0.1",
      port: 0,
      corsOrigins: ["https://app.example"],
      files: new Map([
        ["/", page],
        ["/missing.html", missing],
      ]),
    },
    logger: recordingLogger(),
  });
});
afterEach(() => server.close({ graceMs: 0 }));

const url = (path: string) => `http://127.0.0.1:${server.connectPort}${path}`;

it("answers a file as it is, compressed for who takes it, and calls beside it", async () => {
  const plain = await fetch(url("/?session=1"), { headers: { "accept-encoding": "identity" } });
  expect([plain.status, plain.headers.get("content-type"), plain.headers.get("vary")]).toEqual([
    200,
    "text/html; charset=utf-8",
    "Accept-Encoding",
  ]);
  expect(plain.headers.get("content-length")).toBe(String(text.length));
  expect(await plain.text()).toBe(text);
  const compressed = await fetch(url("/"), { headers: { "accept-encoding": "br, gzip" } });
  expect(compressed.headers.get("content-encoding")).toBe("gzip");
  expect(await compressed.text()).toBe(text);
  const call = await fetch(url("/duchenne.rpc.test.v1.EchoService/Echo"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"text":"hi"}',
  });
  expect(await call.json()).toMatchObject({ text: "hi" });
});

it("does not send again what the browser has, nor a body for HEAD", async () => {
  const again = await fetch(url("/"), { headers: { "if-none-match": '"0", W/"1"' } });
  expect([again.status, await again.text()]).toEqual([304, ""]);
  const other = await fetch(url("/"), { headers: { "if-none-match": '"0"' } });
  expect(other.status).toBe(200);
  const head = await fetch(url("/"), { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

it("keeps what varies by origin for pages of other origins", async () => {
  const response = await fetch(url("/"), { headers: { origin: "https://app.example" } });
  expect(response.headers.get("vary")).toBe("Origin, Accept-Encoding");
});

it("has nothing but its files, however a path is written", async () => {
  for (const path of ["/package.json", "//", "/%2e%2e/package.json", "/..%2f..%2fetc/passwd", "/assets/"]) {
    expect([path, (await fetch(url(path))).status]).toEqual([path, 404]);
  }
  expect((await fetch(url("/"), { method: "POST", body: "x" })).status).toBe(405);
  const told = await fetch(url("/missing.html"));
  expect([told.status, await told.text()]).toEqual([404, "not built"]);
});

it("answers over HTTP/2, too", async () => {
  const session = connect(url(""));
  try {
    const stream = session.request({ ":path": "/", "accept-encoding": "gzip" });
    const { promise: status, resolve } = Promise.withResolvers<unknown>();
    stream.once("response", (headers) => resolve(headers[":status"]));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(await status).toBe(200);
    expect(gunzipSync(Buffer.concat(chunks)).toString()).toBe(text);
  } finally {
    session.destroy();
  }
});
