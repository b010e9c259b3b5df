import {
  BUILT_IN_MODEL,
  detectorCardOf,
  namingVersionFile,
  parseVersionName,
  resolveVersion,
  versionName,
  vitSourceFrom,
} from "@duchenne/control";
import type { Logger } from "@duchenne/rpc";
import { NotFoundError, type Store } from "@duchenne/store";
import type { AuModel, ModelSource as EngineModelSource, VisionEngine } from "@duchenne/vision";
import type { Disposable, ModelSource } from "./model-registry.ts";

/** A version in memory. */
export interface ServedModel extends Disposable {
  /** "models/{model}/versions/{version}". */
  readonly name: string;
  readonly au: AuModel;
}

/** The alias behind an empty model name. */
export const DEFAULT_ALIAS = "models/default@live";

/** Thrown when a version has no file that can be served. */
export class NotServableError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "MODEL_NOT_SERVABLE";

  constructor(name: string) {
    super(`${name} has no ONNX file to serve`);
    this.name = "NotServableError";
  }
}

/** Resolves and loads the store's versions. The empty reference is the default alias when it is set, else the built-in. */
export function createModelSource(store: Store, engine: VisionEngine, logger: Logger): ModelSource<ServedModel> {
  return {
    resolve: (reference) => resolveServed(store, reference),
    async load(name) {
      const au = await engine.load(await engineSourceOf(store, name));
      return { name, au, dispose: () => au.dispose() };
    },
    onLoadFailure(reference, version, error) {
      const alias = reference || DEFAULT_ALIAS;
      if (version === undefined && error instanceof NotFoundError) {
        logger.info({ reference }, "what streams follow was deleted; they go on with what they have");
        return `${alias} was deleted; this stream goes on with the version that it has.`;
      }
      logger.error({ reference, version, error }, "an alias moved to a version that cannot be loaded");
      const reason =
        error instanceof Error && "reason" in error ? `${error.reason}: ${error.message}` : "internal error";
      return version === undefined
        ? `${alias} cannot be resolved (${reason}); the version before goes on answering.`
        : `${alias} moved to ${version}, which cannot be loaded (${reason}); the version before goes on answering.`;
    },
  };
}

/**
 * The version that a reference stands for, and the alias that led to it. The empty one is the default alias when it is set,
 * else the built-in model.
 *
 * @throws {NotFoundError}
 */
export async function resolveServed(
  store: Store,
  reference: string,
): Promise<{ readonly version: string; readonly alias: string }> {
  if (reference === "") {
    const record = await store.models.resolveAlias("default", "live");
    if (record === undefined) return { version: versionName(BUILT_IN_MODEL, "1"), alias: "" };
    return { version: versionName(record.target.model, record.target.version), alias: DEFAULT_ALIAS };
  }
  const { model, version } = await resolveVersion(store, reference, "model");
  const name = versionName(model, version);
  return { version: name, alias: reference === name ? "" : reference };
}

/**
 * What an engine needs to load a version, its file checked.
 *
 * @throws {NotFoundError} @throws {NotADetectorError} @throws {NotServableError} @throws {BlobDamagedError}
 */
export async function engineSourceOf(store: Store, name: string): Promise<EngineModelSource> {
  const trained = await requireServable(store, name);
  if (trained === undefined) return { kind: "blendshape-au" };
  const { record, onnx, card } = trained;
  return vitSourceFrom(card, await namingVersionFile(record, onnx, (digest) => store.blobs.file(digest)));
}

/**
 * What serves a version: its record, its card and its ONNX file; undefined: it is the built-in model.
 *
 * @throws {NotFoundError} @throws {NotADetectorError} @throws {NotServableError}
 */
export async function requireServable(store: Store, name: string) {
  const { model, version } = parseVersionName(name);
  if (model === BUILT_IN_MODEL) return undefined;
  const record = await store.models.getVersion(model, version);
  const card = detectorCardOf(record);
  const onnx = record.artifacts.find(({ role }) => role === "onnx");
  if (onnx === undefined) throw new NotServableError(name);
  return { record, card, onnx };
}
