import { once } from "node:events";
import { connect, type NetConnectOpts } from "node:net";
import { expect, it } from "vitest";
import { isNetworkError, messageOf } from "./network-error.ts";

const failureOf = async (options: NetConnectOpts): Promise<unknown> =>
  (await once(connect(options), "error").catch((error: unknown) => [error]))[0];

it("errors of sockets and names are the network's, whatever address was tried", async () => {
  for (const options of [
    { host: "127.0.0.1", port: 1 },
    { path: "/nowhere/socket" },
    { host: "localhost", port: 1, autoSelectFamily: true },
  ]) {
    const error = await failureOf(options);
    expect(isNetworkError(error), messageOf(error)).toBe(true);
    expect(messageOf(error)).toMatch(/^connect E/);
  }
  const expired = Object.assign(new Error("certificate has expired"), { code: "CERT_HAS_EXPIRED" });
  expect(isNetworkError(expired)).toBe(true);
});

it("errors of programs are not, although their codes begin like a system's", () => {
  let misused: unknown;
  try {
    Buffer.from(1 as never);
  } catch (error) {
    misused = error;
  }
  expect(misused).toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
  expect(isNetworkError(misused)).toBe(false);
  expect(isNetworkError(new AggregateError([misused]))).toBe(false);
  expect(isNetworkError(Object.assign(new Error("denied"), { code: "EACCES", syscall: "open" }))).toBe(false);
});
