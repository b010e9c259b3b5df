// The process of one evaluation attempt. It runs the model as it is served, and needs no TensorFlow.
import { randomUUID } from "node:crypto";
import {
  BUILT_IN_MODEL,
  describeVersion,
  detectorCardOf,
  evaluationName,
  openRegisteredDataset,
  parseVersionName,
} from "@duchenne/control";
import { evaluate } from "@duchenne/evaluation";
import { runAttempt } from "@duchenne/jobs";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { JsonObject } from "@duchenne/store";
import { evaluationSpecSchema } from "./evaluation-spec.ts";
import { type PredictOptions, predictWithBuiltIn, predictWithVit } from "./predict.ts";
import { selectFrames, sharedActionUnits } from "./select-frames.ts";

const REPORT_EVERY_MS = 500;

await runAttempt({
  async evaluation(job, { store, signal, emit }) {
    const spec = evaluationSpecSchema.parse(job.spec);
    const { model, version } = parseVersionName(spec.modelVersion);
    const record = await store.models.getVersion(model, version);
    const { actionUnits } = describeVersion(record);
    const card = model === BUILT_IN_MODEL ? undefined : detectorCardOf(record);
    const dataset = await withSpan("open dataset", {}, () =>
      openRegisteredDataset(store, spec.dataset, { check: true }),
    );
    const frames = selectFrames(dataset, spec.split, card);
    const shared = sharedActionUnits(
      actionUnits.map(({ actionUnit }) => actionUnit),
      dataset.actionUnits,
    );

    const startMs = performance.now();
    let lastMs = 0;
    const options: PredictOptions = {
      dataset,
      frames,
      signal,
      onProgress(done) {
        const now = performance.now();
        if (done < frames.length && now - lastMs < REPORT_EVERY_MS) return;
        lastMs = now;
        const imagesPerSecond = (1000 * done) / (now - startMs);
        const etaMs = (1000 * (frames.length - done)) / imagesPerSecond;
        const steps = { step: done, totalSteps: frames.length, fraction: done / frames.length, epoch: 0 };
        emit({ kind: "progress", phase: "predicting", ...steps, etaMs, imagesPerSecond });
      },
    };
    const { probabilities, features } = await withSpan("predict", { "duchenne.frames": frames.length }, () => {
      const onnx = record.artifacts.find(({ role }) => role === "onnx");
      return card === undefined || onnx === undefined
        ? predictWithBuiltIn(options)
        : predictWithVit(store.blobs.path(onnx.digest), card, options);
    });

    const report = await withSpan("evaluate", {}, () =>
      evaluate({
        actionUnits: shared.map(({ actionUnit }) => actionUnit),
        probabilities: Float32Array.from({ length: frames.length * shared.length }, (_, i) => {
          const { inModel } = shared[i % shared.length]!;
          return probabilities[Math.floor(i / shared.length) * actionUnits.length + inModel]!;
        }),
        occurrence: Int8Array.from({ length: frames.length * shared.length }, (_, i) => {
          const { inDataset } = shared[i % shared.length]!;
          return dataset.samples[frames[Math.floor(i / shared.length)]!]!.occurrence[inDataset]!;
        }),
        subjects: Array.from(frames, (index) => dataset.samples[index]!.subject),
        thresholds: shared.map(({ inModel }) => actionUnits[inModel]!.threshold),
        features: spec.identityLeakage ? features : undefined,
        seed: spec.seed,
        resamples: spec.resamples,
      }),
    );
    const stored = await store.evaluations.create({
      id: randomUUID(),
      modelVersion: spec.modelVersion,
      dataset: spec.dataset,
      report: { ...report, split: spec.split, datasetDigest: dataset.digest } as unknown as JsonObject,
      job: job.id,
    });
    const name = evaluationName(stored.id);
    emit({ kind: "artifact", name, artifactKind: "evaluation" });
    return { evaluation: name };
  },
});
