import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@duchenne/proto/rpc";
import { expect, it } from "vitest";
import { failureOfCall, failureOfCamera, InsecurePageError } from "./failure.ts";

function told(code: Code, reason: string): ConnectError {
  const error = new ConnectError("as the server says it", code);
  error.details.push({ desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain: "duchenne" }) });
  return error;
}

it.each([
  [new TypeError("Failed to fetch"), "server-away", true],
  [told(Code.Unavailable, "STORE_UNAVAILABLE"), "server-away", true],
  [told(Code.NotFound, "SESSION_NOT_FOUND"), "session-ended", true],
  [told(Code.FailedPrecondition, "SESSION_ENDED"), "session-ended", true],
  [told(Code.ResourceExhausted, "TOO_MANY_SESSIONS"), "busy", true],
  [told(Code.NotFound, "NOT_FOUND"), "no-model", false],
  [told(Code.FailedPrecondition, "NOT_A_DETECTOR"), "no-model", false],
  [told(Code.InvalidArgument, "BASELINE_MISMATCH"), "refused", false],
])("tells what %s means", (error, kind, passes) => {
  const failure = failureOfCall(error);
  expect(failure).toMatchObject({ kind, passes });
  expect(failure.advice).not.toBe("");
});

it("repeats what the server said", () => {
  expect(failureOfCall(told(Code.NotFound, "NOT_FOUND")).detail).toBe("as the server says it");
});

it.each([
  ["NotAllowedError", "camera-refused"],
  ["NotFoundError", "camera-missing"],
  ["OverconstrainedError", "camera-missing"],
  ["NotReadableError", "camera-busy"],
  ["AbortError", "unexpected"],
])("tells what %s of a camera means", (name, kind) => {
  expect(failureOfCamera(new DOMException("no", name))).toMatchObject({ kind, passes: false, detail: "no" });
});

it("tells why a page that came unprotected has no camera", () => {
  expect(failureOfCamera(new InsecurePageError())).toMatchObject({ kind: "insecure-page" });
});
