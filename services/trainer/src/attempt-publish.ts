import { parseModelName, versionName } from "@duchenne/control";
import type { AttemptTools } from "@duchenne/jobs";
import { exportOnnx, type ModelCard, writeSafetensors } from "@duchenne/model";
import { withSpan } from "@duchenne/rpc/telemetry";
import type { JsonObject, ModelArtifact } from "@duchenne/store";
import { type Publication, trainedCard } from "./attempt-card.ts";

/**
 * Stores what a training made as a version of its model, whole or not at all.
 *
 * @throws {FencedError} when another attempt has taken over @throws {DiskFullError}
 */
export function publish(tools: AttemptTools, publication: Publication): Promise<{ readonly modelVersion: string }> {
  const { job, spec, result } = publication;
  return withSpan("publish", {}, async () => {
    const card = trainedCard(publication);
    const artifacts = await storeArtifacts(result, card, tools);
    const model = parseModelName(spec.model);
    const version = await tools.store.models.createVersion({ model, card: card as JsonObject, artifacts, job });
    const name = versionName(version.model, version.version);
    tools.emit({ kind: "artifact", name, artifactKind: "model_version" });
    return { modelVersion: name };
  });
}

/** One after the other: when one finds no room, none is left half written. An autoencoder, which is not served, has no ONNX. */
async function storeArtifacts(
  { config, parameters }: Publication["result"],
  card: ModelCard,
  { store }: AttemptTools,
): Promise<ModelArtifact[]> {
  const files = {
    safetensors: writeSafetensors(parameters, { config: JSON.stringify(config) }),
    ...(config.kind !== "mae" && { onnx: exportOnnx(config, parameters) }),
    card: Buffer.from(`${JSON.stringify(card, null, 2)}\n`),
  };
  const artifacts: ModelArtifact[] = [];
  for (const [role, bytes] of Object.entries(files)) artifacts.push({ role, ...(await store.blobs.put(bytes)) });
  return artifacts;
}
