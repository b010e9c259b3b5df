import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { DatasetService, JobService } from "@duchenne/proto";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { DuchenneClient } from "./duchenne-client.ts";
import { uploadDataset } from "./upload-dataset.ts";
import { watchJob } from "./watch-job.ts";

/** What a server does that is away once, while the clock of the client's machine is set an hour ahead. */
function awayOnce(): () => void {
  let isFirst = true;
  return () => {
    if (!isFirst) return;
    isFirst = false;
    vi.setSystemTime(Date.now() + 3_600_000);
    throw new ConnectError("away", Code.Unavailable);
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a server that is away for a moment is waited for although the clock jumps,", () => {
  it("by a watch", async () => {
    const come = awayOnce();
    const transport = createRouterTransport(({ service }) => {
      service(JobService, {
        async *watchJob({ afterEvent }) {
          if (afterEvent === 0n) yield { event: { number: 1n } };
          come();
          yield { event: { number: 2n } };
        },
      });
    });
    const client = { jobs: createClient(JobService, transport) } as DuchenneClient;
    const numbers: bigint[] = [];
    for await (const { number } of watchJob(client, "jobs/j")) numbers.push(number);
    expect(numbers).toEqual([1n, 2n]);
  });

  it("by an upload", async () => {
    const come = awayOnce();
    const bytes = Buffer.from("an archive");
    const written: Uint8Array[] = [];
    const upload = { name: "datasetUploads/d" };
    const transport = createRouterTransport(({ service }) => {
      service(DatasetService, {
        createDatasetUpload: () => upload,
        writeDatasetUpload({ chunk }) {
          come();
          written.push(chunk);
          return { ...upload, committedBytes: BigInt(chunk.length) };
        },
        finishDatasetUpload: () => ({ name: "datasets/d" }),
      });
    });
    const client = { datasets: createClient(DatasetService, transport) } as DuchenneClient;
    const archive = {
      sizeBytes: bytes.length,
      sha256: "",
      async *read() {
        yield bytes;
      },
    };
    expect((await uploadDataset(client, archive, { datasetId: "d" })).name).toBe("datasets/d");
    expect(Buffer.concat(written)).toEqual(bytes);
  });
});
