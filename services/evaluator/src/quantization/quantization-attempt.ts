// The process of one quantisation attempt. It runs the float model and that in int8 as they are served, and needs no
// TensorFlow.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  calibrationParts,
  cardOf,
  namingVersionFile,
  openRegisteredDataset,
  parseModelName,
  parseVersionName,
  quantizationSpecSchema,
  tellOfCopy,
  versionName,
} from "@duchenne/control";
import { createImageLoader } from "@duchenne/data";
import { runAttempt } from "@duchenne/jobs";
import { readSafetensors } from "@duchenne/model";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { JsonObject, ModelArtifact, ModelVersionRecord } from "@duchenne/store";
import { InaccurateQuantizationError, quantizeModel } from "@duchenne/vision/quantization";
import { phaseProgress } from "../phase-progress.ts";
import { comparePrecisions } from "./compare-precisions.ts";
import { quantizedCard } from "./quantized-card.ts";

await runAttempt({
  async quantization(job, { store, signal, emit }) {
    const spec = quantizationSpecSchema.parse(job.spec);
    const { dataset: name, maxMeanDifference, rangeMethod, seed } = spec;
    const { model, version } = parseVersionName(spec.modelVersion);
    const source = await store.models.getVersion(model, version);
    const card = cardOf(source);
    const { config } = card;
    if (config.kind === "mae") throw new TypeError(`Expected a detector or classifier, ${spec.modelVersion} is none`);
    const dataset = await withSpan("open dataset", {}, () =>
      openRegisteredDataset(store, name, { signal, onCopy: tellOfCopy(emit, name) }),
    );
    const parts = calibrationParts(dataset, { name, card }, spec);

    const safetensors = fileOf(source, "safetensors");
    const { parameters } = readSafetensors(
      await namingVersionFile(source, safetensors, (digest) => store.blobs.get(digest)),
    );
    const loader = createImageLoader(dataset, { imageSize: config.imageSize });
    const quantized = await withSpan("quantize", { "duchenne.frames": parts.calibration.length }, () =>
      quantizeModel({
        config,
        parameters,
        images: {
          count: parts.calibration.length,
          load: (from, to) => loader.load(parts.calibration.subarray(from, to)),
        },
        rangeMethod,
        maxMeanDifference,
        signal,
        onProgress: phaseProgress(emit, {
          phase: "calibrating",
          totalSteps: parts.calibration.length,
          countsImages: true,
        }),
      }),
    );
    const { onnx, floatLayers } = quantized;
    if (floatLayers.length > 0) {
      const text = `Stay in float32, most sensitive of all: ${floatLayers.join(", ")}`;
      emit({ kind: "log", level: "info", text });
    }

    const folder = await mkdtemp(join(tmpdir(), "duchenne-quantization-"));
    try {
      const int8 = join(folder, "int8.onnx");
      await writeFile(int8, onnx);
      const totalSteps = parts.check.length;
      const compared = await withSpan("compare", { "duchenne.frames": parts.check.length }, async () =>
        comparePrecisions({
          config,
          float32: await namingVersionFile(source, fileOf(source, "onnx"), (digest) => store.blobs.file(digest)),
          int8,
          dataset,
          frames: parts.check,
          signal,
          onProgress: phaseProgress(emit, { phase: "comparing", totalSteps, countsImages: true }),
        }),
      );
      // What is not a number is no answer either.
      if (!(compared.meanDifference <= maxMeanDifference)) {
        const where = `on ${compared.frames} frames that were not calibrated on`;
        throw new InaccurateQuantizationError(maxMeanDifference, compared.meanDifference, where);
      }
      const quantization = {
        precision: "int8" as const,
        rangeMethod,
        calibration: { dataset: name, digest: dataset.digest, frames: parts.calibration.length, seed },
        floatLayers: [...floatLayers],
        maxMeanDifference,
        measured: { ...compared, isHeldOut: parts.isHeldOut },
      };
      const published = quantizedCard(card, {
        model: spec.model,
        sourceVersion: spec.modelVersion,
        sourceDigest: source.digest,
        job,
        quantization,
        calibrationLicense: dataset.license,
      });
      const text = Buffer.from(`${JSON.stringify(published, null, 2)}\n`);
      const artifacts = [
        { role: "onnx", ...(await store.blobs.put(onnx)) },
        { role: "card", ...(await store.blobs.put(text)) },
      ];
      const target = parseModelName(spec.model);
      const made = await store.models.createVersion({ model: target, card: published as JsonObject, artifacts, job });
      const modelVersion = versionName(made.model, made.version);
      emit({ kind: "artifact", name: modelVersion, artifactKind: "model_version" });
      return { modelVersion, meanDifference: compared.meanDifference };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

function fileOf({ artifacts }: ModelVersionRecord, role: string): ModelArtifact {
  const artifact = artifacts.find((each) => each.role === role);
  if (artifact === undefined) throw new TypeError(`Expected a file "${role}", the version has none`);
  return artifact;
}
