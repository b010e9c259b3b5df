import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SynthFacsOptions } from "./synth-facs-options.ts";
import type { SynthesisReport } from "./synthesis-worker.ts";
import { type SyntheticLine, writeSubject } from "./write-subject.ts";

/** Below so many frames a thread costs more than it brings: each makes the head's mesh and maps anew. */
const FRAMES_WORTH_A_THREAD = 100;

/**
 * Renders all subjects into files, in threads when it is worth it. The files and lines do not depend on the threads.
 *
 * @param subjects their indices; with a protocol, their places in the published list
 * @param folder the data set's folder
 * @returns what was written, by subject
 * @throws the signal's reason when aborted
 */
export async function writeSubjects(
  options: SynthFacsOptions,
  subjects: readonly number[],
  folder: string,
  { signal, onFrame }: { readonly signal?: AbortSignal | undefined; readonly onFrame: () => void },
): Promise<SyntheticLine[]> {
  const worthwhile = Math.floor((subjects.length * options.framesPerSubject) / FRAMES_WORTH_A_THREAD);
  const threads = Math.min(availableParallelism(), subjects.length, worthwhile);
  const lines: (readonly SyntheticLine[])[] = [];
  if (threads < 2) {
    for (const subject of subjects) {
      lines.push(
        await writeSubject({ options, subject, folder }, () => {
          signal?.throwIfAborted();
          onFrame();
        }),
      );
    }
    return lines.flat();
  }
  let next = 0;
  const workers = Array.from({ length: threads }, () => new Worker(new URL("./synthesis-worker.ts", import.meta.url)));
  try {
    await Promise.all(
      workers.map(
        (worker) =>
          new Promise<void>((resolve, reject) => {
            const giveNext = () => {
              if (next < subjects.length) worker.postMessage({ options, subject: subjects[next++]!, folder });
              else resolve();
            };
            signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
            worker.on("error", reject);
            worker.on("exit", (code) => reject(new Error(`A synthesis thread ended with code ${code}`)));
            worker.on("message", (report: SynthesisReport) => {
              if (report.kind === "frame") return onFrame();
              lines[subjects.indexOf(report.subject)] = report.lines;
              giveNext();
            });
            if (signal?.aborted === true) reject(signal.reason);
            else giveNext();
          }),
      ),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return lines.flat();
}
