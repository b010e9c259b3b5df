// A worker thread of a batch loader: makes samples of the batches it is told of, in their order.
import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { type BatchJob, claimSample, makeSample } from "./batch-job.ts";
import { createSampleWriter, type SampleWriterSettings } from "./sample-writer.ts";

// The threads are the parallelism: more of them inside of each decoder would only compete.
sharp.concurrency(1);
sharp.cache(false);

/** Samples that are in work at once: while one is decoded outside of this thread, another one is augmented. */
const LANES = 2;

const port = parentPort!;
const write = createSampleWriter(workerData as SampleWriterSettings);
const jobs: BatchJob[] = [];
let lanes = 0;
let closing = false;

async function runLane(): Promise<void> {
  for (let job = jobs[0]; job !== undefined && !closing; job = jobs[0]) {
    const position = claimSample(job);
    if (position === undefined) {
      if (jobs[0] === job) jobs.shift();
    } else {
      await makeSample(write, job, position, (report) => port.postMessage(report));
    }
  }
  lanes--;
  if (closing && lanes === 0) port.close();
}

port.on("message", (message: BatchJob | "close") => {
  if (message === "close") {
    closing = true;
    if (lanes === 0) port.close();
    return;
  }
  jobs.push(message);
  for (let idle = LANES - lanes; idle > 0; idle--) {
    lanes++;
    void runLane();
  }
});
