// The process of one video analysis. It scores as the detector does, with an engine of its own, and needs no TensorFlow.
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type AttemptJob, runAttempt } from "@duchenne/jobs";
import { withSpan } from "@duchenne/rpc/telemetry";
import { hasEnded, type Store, storing } from "@duchenne/store";
import { analyzeVideo, findFfmpeg, tableFile } from "@duchenne/video";
import { createVisionEngine } from "@duchenne/vision";
import { engineSourceOf } from "../served-model.ts";
import { type AnalysisResult, analysisSpecSchema, VIDEO_ANALYSIS } from "./analysis-spec.ts";

const REPORT_EVERY_MS = 500;

await runAttempt({
  async [VIDEO_ANALYSIS](job, { store, dataDirectory, signal, emit }) {
    const { video, modelVersion, formats, ...spec } = analysisSpecSchema.parse(job.spec);
    const ffmpeg = await findFfmpeg();
    const folder = await freshFolder(store, join(dataDirectory, "analyses"), job);
    // One image of a followed stream is in work at a time: more workers would wait.
    const engine = createVisionEngine({ workers: 1 });
    const startMs = performance.now();
    let lastMs = startMs;
    try {
      const model = await engine.load(await engineSourceOf(store, modelVersion));
      const summary = await withSpan("analyse", {}, () =>
        storing("the tables of a video", () =>
          analyzeVideo(video, {
            ...spec,
            ffmpeg,
            model,
            formats,
            folder,
            signal,
            onProgress({ frames, fraction }) {
              const now = performance.now();
              if (now - lastMs < REPORT_EVERY_MS) return;
              lastMs = now;
              const imagesPerSecond = (1000 * frames) / (now - startMs);
              // Containers say how long they are, not always of how many frames.
              const totalSteps = fraction > 0 ? Math.max(Math.round(frames / fraction), frames) : frames;
              const etaMs = fraction > 0 ? (1000 * (totalSteps - frames)) / imagesPerSecond : 0;
              const steps = { step: frames, totalSteps, fraction, epoch: 0 };
              emit({ kind: "progress", phase: "analysing", ...steps, etaMs, imagesPerSecond });
            },
          }),
        ),
      );
      const { frames, framesWithFaces, packets, faces, rows, errorCount, errors } = summary;
      if (errorCount > 0) {
        const text = `ffmpeg met ${errorCount} errors; what it could decode is in the tables. The first: ${errors[0]}`;
        emit({ kind: "log", level: "warn", text });
      }
      const tables: AnalysisResult["tables"] = [];
      for (const format of formats) {
        tables.push({ format, ...(await store.blobs.adopt(join(folder, tableFile(format)))) });
      }
      return {
        frames,
        framesWithFaces,
        ...(packets !== undefined && { packets }),
        faces,
        rows,
        decodeErrors: errorCount,
        firstDecodeErrors: [...errors],
        tables,
      } satisfies AnalysisResult;
    } finally {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/** A folder for an attempt's tables. What attempts left that were killed is removed: of this job, and of those that are over. */
async function freshFolder(store: Store, parent: string, { id, attempt }: AttemptJob): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const owner = name.slice(0, name.lastIndexOf("-"));
    const job = owner === id ? undefined : await store.jobs.get(owner).catch(() => undefined);
    const isLeft = owner === id || (job !== undefined && hasEnded(job.state));
    if (isLeft) await rm(join(parent, name), { recursive: true, force: true });
  }
  const folder = join(parent, `${id}-${attempt}`);
  await mkdir(folder);
  return folder;
}
