import { DetectorService } from "@duchenne/proto";
import { expect, it } from "vitest";
import { grayImage } from "../e2e/photograph.ts";
import { startServer, temporaryFolder } from "../e2e/server-process.ts";
import { CallError, fetchClient } from "./fetch-client.ts";

const { openSession, pushFrame, watchSession, closeSession } = DetectorService.method;

it("1000 sessions that are opened and left end by themselves, and disturb nobody", { timeout: 300_000 }, async () => {
  await using folder = await temporaryFolder();
  const args = ["--max-sessions", "201", "--session-idle-ms", "2000"];
  const server = await startServer("detector", folder.path, { args });
  try {
    const client = fetchClient(server.connectPort, "proto");
    const image = await grayImage(64, 64);
    const { session: steady } = await client.call(openSession, {});
    const answers = client.stream(watchSession, { session: steady });
    // Watched from now on: a session with a watcher is not idle.
    let next = answers.next();

    /** Opens sessions one after another, and pushes to the first; one that finds no room tries again. */
    async function openAndLeave(count: number): Promise<void> {
      for (let opened = 0; opened < count; ) {
        try {
          const { session } = await client.call(openSession, {});
          if (opened++ === 0) await client.call(pushFrame, { session, frame: { sequence: 1n, image } });
        } catch (error) {
          if (!(error instanceof CallError) || error.reason !== "TOO_MANY_SESSIONS") throw error;
        }
      }
    }

    for (let round = 1; round <= 10; round++) {
      await Promise.all(Array.from({ length: 4 }, () => openAndLeave(25)));
      await client.call(pushFrame, { session: steady, frame: { sequence: BigInt(round), image } });
      expect((await next).value).toMatchObject({
        number: BigInt(round),
        answer: { message: { case: "result" } },
      });
      next = answers.next();
    }
    const { summary } = await client.call(closeSession, { session: steady });
    expect((await next).value).toMatchObject({ number: 11n, answer: { message: { case: "summary" } } });
    expect(summary).toMatchObject({ framesReceived: 10n, framesAnswered: 10n });
    expect(server.log()).not.toContain('"level":"error"');
    expect(await server.end("SIGTERM")).toBe(0);
  } finally {
    await server.end();
  }
});
