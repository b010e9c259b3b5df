import { join } from "node:path";
import { createDuchenneClient, type DuchenneClient, type FrameInput, streamFrames } from "@duchenne/client";
import { startServer } from "../e2e/server-process.ts";
import { quantile } from "./detect-load.ts";
import { type MemorySample, slopesOfThirds } from "./memory-slope.ts";
import { processUsage } from "./process-usage.ts";

/** Streams that keep the server busy. */
const STREAMS = 8;

/** What the server is kept busy with. */
export interface Soak {
  readonly minutes: number;
  /** A frame, sent again and again. */
  readonly frame: FrameInput;
  /** How the model is called in the print. */
  readonly label: string;
  /** Brings the model to a server; answers its version's name. */
  readonly bring: (client: DuchenneClient) => Promise<string>;
}

/**
 * Keeps a server of its own at saturation and prints how its memory rose in each third of the time, and how long a call
 * took that only reads. A server that was loaded before would have its highest memory behind it, and hide a rise.
 */
export async function soak({ minutes, frame, label, bring }: Soak, folder: string): Promise<void> {
  const server = await startServer("detector", join(folder, "soak"), { args: ["--max-import-bytes", String(2 ** 31)] });
  const client = createDuchenneClient({ address: `127.0.0.1:${server.grpcPort}` });
  try {
    const model = await bring(client);
    const startedMs = performance.now();
    const endMs = startedMs + minutes * 60_000;
    const samples: MemorySample[] = [];
    const calls: number[] = [];
    function* until(): Generator<FrameInput> {
      while (performance.now() < endMs) yield frame;
    }
    const streams = Array.from({ length: STREAMS }, () => countAnswered(client, until(), model));
    const watching = (async () => {
      while (performance.now() < endMs) {
        const calledMs = performance.now();
        await client.models.getModelVersion({ name: model });
        calls.push(performance.now() - calledMs);
        const { atMs, rssMb } = await processUsage(server.pid);
        samples.push({ minutes: (atMs - startedMs) / 60_000, rssMb });
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    })();
    const total = (await Promise.all(streams)).reduce((sum, value) => sum + value, 0);
    await watching;
    const slopes = slopesOfThirds(samples).map((slope) => slope.toFixed(2));
    console.log(`${minutes} min at saturation, ${label}, a server of its own: ${total} frames`);
    console.log(
      `RSS ${samples[0]!.rssMb.toFixed(0)} to ${samples.at(-1)!.rssMb.toFixed(0)} MB; MB/min in each third: ${slopes.join(", ")}`,
    );
    console.log(
      `a reading call meanwhile: median ${quantile(calls, 0.5).toFixed(1)} ms, p99 ${quantile(calls, 0.99).toFixed(1)} ms`,
    );
  } finally {
    client.close();
    await server.end();
  }
}

/** How many frames of a stream are answered; keeps none. */
async function countAnswered(client: DuchenneClient, source: Iterable<FrameInput>, model: string): Promise<number> {
  let count = 0;
  for await (const answer of streamFrames(client, source, { model })) if (answer.case === "result") count++;
  return count;
}
