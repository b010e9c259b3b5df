import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { FailedForGood, Patience } from "./patience.ts";

const signal = new AbortController().signal;

it("tries again until it works, and at once when it is told to", async () => {
  const patience = new Patience();
  const failures: string[] = [];
  let attempts = 0;
  const work = async () => {
    if (++attempts < 3) throw new ConnectError("away", Code.Unavailable);
    return "there";
  };
  const onFailure = ({ kind }: { kind: string }) => {
    failures.push(kind);
    queueMicrotask(() => queueMicrotask(() => patience.retry()));
  };
  expect(await patience.until(work, onFailure, signal)).toBe("there");
  expect(failures).toEqual(["server-away", "server-away"]);
});

it("gives up where another try would fail as well", async () => {
  const work = () => Promise.reject(new ConnectError("no such model", Code.NotFound));
  const failed = await new Patience().until(work, () => {}, signal).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(FailedForGood);
  expect((failed as FailedForGood).failure).toMatchObject({ kind: "no-model", detail: "no such model" });
});

it("stops waiting when nobody wants it any more", async () => {
  const stopping = new AbortController();
  const work = () => Promise.reject(new ConnectError("away", Code.Unavailable));
  const waiting = new Patience().until(work, () => stopping.abort(new Error("stopped")), stopping.signal);
  await expect(waiting).rejects.toThrow("stopped");
});
