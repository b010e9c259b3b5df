import { BuiltInModelError, cardOf, namingVersionFile, resolveVersion, versionName } from "@duchenne/control";
import { type ModelCard, readSafetensors, type SourceWeights } from "@duchenne/model";
import type { Store } from "@duchenne/store";

/** A version that another is made from, as that one's card names it. */
export interface SourceVersion {
  /** "models/{model}/versions/{version}". */
  readonly name: string;
  readonly digest: string;
  readonly card: ModelCard;
}

/** A trained version's weights, and whose they are. */
export interface VersionWeights extends SourceWeights {
  readonly version: SourceVersion;
}

/** Reads a trained version's weights. @param name "models/{model}/versions/{version}" @throws {BlobDamagedError} naming it */
export async function readWeights(store: Store, name: string): Promise<VersionWeights> {
  const record = await resolveVersion(store, name, "model_version");
  const weights = record.artifacts.find(({ role }) => role === "safetensors");
  if (weights === undefined) throw new BuiltInModelError("model_version");
  const { parameters } = readSafetensors(await namingVersionFile(record, weights, (digest) => store.blobs.get(digest)));
  const card = cardOf(record);
  const version = { name: versionName(record.model, record.version), digest: record.digest, card };
  return { config: card.config, parameters, version };
}
