import { afterEach, expect, it } from "vitest";
import { createEchoServices, recordingLogger } from "../../test-fixtures/echo-service.ts";
import { createRpcServer, type RpcServer } from "../index.ts";

const METHOD = "duchenne.rpc.test.v1.EchoService/Echo";
const page = "https://app.example";

let server: RpcServer;
afterEach(() => server.close({ graceMs: 0 }));

/** Starts a server for pages of these origins; answers how a page's request is answered. */
async function serverFor(corsOrigins: readonly string[] | undefined) {
  server = await createRpcServer({
    services: createEchoServices().services,
    connect: { host: "127.0.0.1", port: 0, ...(corsOrigins && { corsOrigins }) },
    logger: recordingLogger(),
  });
  return async (origin: string) => {
    const url = `http://127.0.0.1:${server.connectPort}/${METHOD}`;
    const asked = { "access-control-request-method": "POST", "access-control-request-headers": "content-type" };
    const preflight = await fetch(url, { method: "OPTIONS", headers: { origin, ...asked } });
    const headers = { origin, "content-type": "application/json" };
    const call = await fetch(url, { method: "POST", headers, body: JSON.stringify({ text: "hello" }) });
    return { preflight, call };
  };
}

const allowed = (response: Response) => response.headers.get("access-control-allow-origin");

it("lets pages of the origins call that were named, and no others", async () => {
  const answer = await serverFor(["http://localhost:5173", page]);
  const { preflight, call } = await answer(page);
  expect(preflight.status).toBe(204);
  expect(allowed(preflight)).toBe(page);
  expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
  const headers = preflight.headers.get("access-control-allow-headers")?.toLowerCase();
  for (const header of ["content-type", "connect-protocol-version", "connect-timeout-ms", "authorization"]) {
    expect(headers).toContain(header);
  }
  expect(allowed(call)).toBe(page);
  expect(call.headers.get("vary")).toBe("Origin");
  expect(await call.json()).toMatchObject({ text: "hello" });
  const other = await answer("https://other.example");
  expect([allowed(other.preflight), allowed(other.call)]).toEqual([null, null]);
});

it("lets no page call by default, and every one with a star", async () => {
  const byDefault = await (await serverFor(undefined))(page);
  expect([allowed(byDefault.preflight), allowed(byDefault.call)]).toEqual([null, null]);
  await server.close({ graceMs: 0 });
  const { preflight, call } = await (await serverFor(["*"]))(page);
  expect([allowed(preflight), allowed(call)]).toEqual([page, page]);
});
