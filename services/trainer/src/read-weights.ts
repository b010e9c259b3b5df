import { BuiltInModelError, cardOf, namingVersionFile, resolveVersion } from "@duchenne/control";
import { readSafetensors, type SourceWeights } from "@duchenne/model";
import type { Store } from "@duchenne/store";

/** Reads a trained version's weights. @param name "models/{model}/versions/{version}" @throws {BlobDamagedError} naming it */
export async function readWeights(store: Store, name: string): Promise<SourceWeights> {
  const record = await resolveVersion(store, name, "model_version");
  const weights = record.artifacts.find(({ role }) => role === "safetensors");
  if (weights === undefined) throw new BuiltInModelError("model_version");
  const bytes = await namingVersionFile(record, weights, (digest) => store.blobs.get(digest));
  const { parameters } = readSafetensors(bytes);
  return { config: cardOf(record).config, parameters };
}
