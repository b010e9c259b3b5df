import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryLock } from "@duchenne/store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTurns } from "./turns.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "duchenne-turns-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const never = new AbortController().signal;

it("takes turns of one name one after the other, and goes on after work that failed", async () => {
  const turns = createTurns(join(directory, "one"), never);
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    log.push(`${name} ends`);
    if (name === "a") throw new Error("a failed");
  };
  await Promise.allSettled([turns.take("x", work("a")), turns.take("x", work("b"))]);
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

it("waits for another process, until that ends or is killed", async () => {
  const program = join(directory, "holder.ts");
  await writeFile(
    program,
    `import { createTurns } from ${JSON.stringify(new URL("./turns.ts", import.meta.url).href)};
     await createTurns(process.argv[2]!, new AbortController().signal).take("x", async () => {
       process.send!("has it");
       // Until it is killed: whoever listens to its parent does not end.
       await new Promise(() => process.on("message", () => {}));
     });`,
  );
  const locks = join(directory, "two");
  const holder = fork(program, [locks]);
  await once(holder, "message");
  const turns = createTurns(locks, never);
  const seen: string[] = [];
  const waiting = turns.take("x", async () => seen.push("x"));
  await turns.take("y", async () => seen.push("y"));
  expect(tryLock(join(locks, "x"), "exclusive")).toBeUndefined();
  expect(seen).toEqual(["y"]);
  holder.kill("SIGKILL");
  await waiting;
  expect(seen).toEqual(["y", "x"]);

  const next = fork(program, [locks]);
  await once(next, "message");
  const stopped = new AbortController();
  const given = createTurns(locks, stopped.signal).take("x", async () => seen.push("never"));
  stopped.abort();
  await expect(given).rejects.toMatchObject({ name: "AbortError" });
  next.kill("SIGKILL");
});
