import {
  BUILT_IN_MODEL,
  detectorCardOf,
  parseVersionName,
  resolveVersion,
  versionName,
  vitSourceFrom,
} from "@duchenne/control";
import type { Logger } from "@duchenne/rpc";
import type { Store } from "@duchenne/store";
import type { AuModel, VisionEngine } from "@duchenne/vision";
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
    async resolve(reference) {
      if (reference === "") {
        const record = await store.models.resolveAlias("default", "live");
        if (record === undefined) return { version: versionName(BUILT_IN_MODEL, "1"), alias: "" };
        return { version: versionName(record.target.model, record.target.version), alias: DEFAULT_ALIAS };
      }
      const { model, version } = await resolveVersion(store, reference, "model");
      const name = versionName(model, version);
      return { version: name, alias: reference === name ? "" : reference };
    },
    async load(name) {
      const { model, version } = parseVersionName(name);
      const au = await engine.load(
        model === BUILT_IN_MODEL
          ? { kind: "blendshape-au" }
          : await vitSourceOf(store, await store.models.getVersion(model, version), name),
      );
      return { name, au, dispose: () => au.dispose() };
    },
    onLoadFailure(reference, version, error) {
      logger.error({ reference, version, error }, "an alias moved to a version that cannot be loaded");
      const alias = reference || DEFAULT_ALIAS;
      const reason =
        error instanceof Error && "reason" in error ? `${error.reason}: ${error.message}` : "internal error";
      return version === undefined
        ? `${alias} cannot be resolved (${reason}); the version before goes on answering.`
        : `${alias} moved to ${version}, which cannot be loaded (${reason}); the version before goes on answering.`;
    },
  };
}

async function vitSourceOf(store: Store, record: Awaited<ReturnType<Store["models"]["getVersion"]>>, name: string) {
  const onnx = record.artifacts.find(({ role }) => role === "onnx");
  if (onnx === undefined) throw new NotServableError(name);
  return vitSourceFrom(detectorCardOf(record), await store.blobs.file(onnx.digest));
}
