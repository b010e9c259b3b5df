// The process of one attempt at an evaluation, at the report of a cross-validation or at a projection. It runs models as
// they are served, and needs no TensorFlow.
import { randomUUID } from "node:crypto";
import {
  crossValidationName,
  evaluationName,
  namingVersionFile,
  openRegisteredDataset,
  parseVersionName,
  tellOfCopy,
} from "@duchenne/control";
import { runAttempt } from "@duchenne/jobs";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { JsonObject } from "@duchenne/store";
import { type ReportOptions, reportOn } from "./attempt-reports.ts";
import { combineRuns } from "./cross-validation/combine-runs.ts";
import { crossValidationSpecSchema } from "./cross-validation/cross-validation-spec.ts";
import { evaluableVersion } from "./evaluable-version.ts";
import { evaluatedVersion } from "./evaluated-version.ts";
import { evaluationSpecSchema } from "./evaluation-spec.ts";
import { phaseProgress } from "./phase-progress.ts";
import { projectVersion } from "./projection/project-version.ts";
import { PROJECTION } from "./projection/projection-spec.ts";
import { selectFrames } from "./select-frames.ts";

await runAttempt({
  async evaluation(job, { store, signal, emit }) {
    const spec = evaluationSpecSchema.parse(job.spec);
    const modelVersion = await evaluatedVersion(store, spec);
    const { model, version } = parseVersionName(modelVersion);
    if (spec.training !== undefined) await store.models.keepVersion(model, version, job);
    const record = await store.models.getVersion(model, version);
    const evaluable = evaluableVersion(record);
    const dataset = await withSpan("open dataset", {}, () =>
      openRegisteredDataset(store, spec.dataset, { signal, onCopy: tellOfCopy(emit, spec.dataset) }),
    );
    const frames = selectFrames(dataset, spec.split, evaluable.card);

    const onnx = record.artifacts.find(({ role }) => role === "onnx");
    const options: ReportOptions = {
      spec,
      dataset,
      frames,
      onnxPath: onnx && (await namingVersionFile(record, onnx, (digest) => store.blobs.file(digest))),
      signal,
      onProgress: phaseProgress(emit, { phase: "predicting", totalSteps: frames.length, countsImages: true }),
    };
    const { report, scores } = await reportOn(evaluable, options);
    const { digest } = await store.blobs.put(scores);
    const stored = await store.evaluations.create({
      id: randomUUID(),
      modelVersion,
      dataset: spec.dataset,
      report: { ...report, split: spec.split, datasetDigest: dataset.digest } as unknown as JsonObject,
      scores: digest,
      job,
    });
    const name = evaluationName(stored.id);
    emit({ kind: "artifact", name, artifactKind: "evaluation" });
    return { evaluation: name };
  },

  async cross_validation(job, { store, emit }) {
    const spec = crossValidationSpecSchema.parse(job.spec);
    const report = await withSpan("combine", {}, async () =>
      combineRuns(store, await store.jobs.children(job.id), spec),
    );
    const { dataset, model } = spec;
    const stored = await store.crossValidations.create({ id: randomUUID(), model, dataset, report, job });
    const name = crossValidationName(stored.id);
    emit({ kind: "artifact", name, artifactKind: "cross_validation" });
    return { crossValidation: name };
  },

  [PROJECTION]: projectVersion,
});
