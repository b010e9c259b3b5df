import { relative } from "node:path";
import {
  namingVersionFile,
  openRegisteredDataset,
  parseVersionName,
  projectionName,
  tellOfCopy,
} from "@duchenne/control";
import { projectFeatures, TSNE_STEPS } from "@duchenne/evaluation";
import type { AttemptJob, AttemptTools } from "@duchenne/jobs";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { JsonObject } from "@duchenne/store";
import { phaseProgress } from "../phase-progress.ts";
import { predictWithVit } from "../predict.ts";
import { DEFAULT_RESAMPLES } from "../resamples.ts";
import { selectFrames } from "../select-frames.ts";
import { drawFrames } from "./draw-frames.ts";
import { projectableCard } from "./projectable-version.ts";
import { projectionSpecSchema } from "./projection-spec.ts";
import type { StoredProjection } from "./stored-projection.ts";

/** The job's done share when all features are there. */
const PREDICTED = 0.8;

/**
 * Does a projection's job: the features of the drawn frames, their places in the plane, a blob with the report. The job's
 * result names it by the job's id.
 */
export async function projectVersion(
  { id, spec }: AttemptJob,
  { store, signal, emit }: AttemptTools,
): Promise<JsonObject> {
  const { perplexity, neighbours, seed, split, ...rest } = projectionSpecSchema.parse(spec);
  const { model, version } = parseVersionName(rest.modelVersion);
  const record = await store.models.getVersion(model, version);
  const card = projectableCard(record);
  const onnx = record.artifacts.find(({ role }) => role === "onnx");
  if (onnx === undefined) throw new TypeError("Expected a trained version to have an ONNX file, it has none");
  const dataset = await withSpan("open dataset", {}, () =>
    openRegisteredDataset(store, rest.dataset, { signal, onCopy: tellOfCopy(emit, rest.dataset) }),
  );
  const frames = drawFrames(dataset, selectFrames(dataset, split, card), { ...rest, seed });

  const { features } = await withSpan("predict", { "duchenne.frames": frames.length }, async () => {
    const onProgress = phaseProgress(emit, {
      phase: "predicting",
      totalSteps: frames.length,
      share: [0, PREDICTED],
      countsImages: true,
    });
    const path = await namingVersionFile(record, onnx, (digest) => store.blobs.file(digest));
    return predictWithVit(path, card.config, { dataset, frames, signal, onProgress });
  });
  const samples = Array.from(frames, (frame) => dataset.samples[frame]!);
  const projecting = phaseProgress(emit, { phase: "projecting", totalSteps: TSNE_STEPS, share: [PREDICTED, 1] });
  const report = await withSpan("project", {}, () =>
    projectFeatures({
      features,
      subjects: samples.map(({ subject }) => subject),
      actionUnits: dataset.actionUnits,
      occurrence: Int8Array.from(samples.flatMap(({ occurrence }) => [...occurrence])),
      frames: samples.map(({ imagePath }, i) => ({
        frame: frames[i]!,
        image: relative(dataset.directory, imagePath),
      })),
      perplexity,
      neighbours,
      seed,
      resamples: DEFAULT_RESAMPLES,
      signal,
      onStep(step, klDivergence) {
        if (klDivergence !== undefined) emit({ kind: "metrics", step, epoch: 0, values: { klDivergence } });
        projecting(step);
      },
    }),
  );
  const { modelVersion, dataset: datasetName } = rest;
  const stored: StoredProjection = {
    ...report,
    modelVersion,
    dataset: datasetName,
    datasetDigest: dataset.digest,
    split,
  };
  const { digest } = await store.blobs.put(Buffer.from(JSON.stringify(stored)));
  const name = projectionName(id);
  emit({ kind: "artifact", name, artifactKind: "projection" });
  return { projection: name, digest };
}
