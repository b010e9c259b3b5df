// A worker thread of a synthesis: writes subjects, one after the other, as it is told of them.
import { parentPort } from "node:worker_threads";
import sharp from "sharp";
import { type SubjectTask, type SyntheticLine, writeSubject } from "./write-subject.ts";

/** What a thread reports: a frame was written, or a subject's lines. */
export type SynthesisReport =
  | { readonly kind: "frame" }
  | { readonly kind: "subject"; readonly subject: number; readonly lines: readonly SyntheticLine[] };

// The threads are the parallelism.
sharp.concurrency(1);

const port = parentPort!;
port.on("message", async (task: SubjectTask) => {
  const report = (message: SynthesisReport) => port.postMessage(message);
  const lines = await writeSubject(task, () => report({ kind: "frame" }));
  report({ kind: "subject", subject: task.subject, lines });
});
