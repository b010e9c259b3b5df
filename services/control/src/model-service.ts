import { ModelService } from "@duchenne/proto";
import { type ServiceHandler, serviceHandler } from "@duchenne/rpc";
import { type ModelVersionRecord, NotFoundError, type Store } from "@duchenne/store";
import { requireAliasKind } from "./alias-kind.ts";
import { BuiltInModelError } from "./built-in-model-error.ts";
import { aliasMessage, aliasMoveMessage, modelMessage, modelVersionMessage } from "./convert.ts";
import { BUILT_IN_MODEL } from "./describe-version.ts";
import { DEFAULT_PAGE_SIZE } from "./job-service.ts";
import { checkQuantization } from "./quantization/check-quantization.ts";
import { parseAliasName, parseModelName, parseModelReference, parseVersionName } from "./resource-name.ts";
import type { ServiceContext } from "./service-process.ts";
import { submitJob } from "./submit-job.ts";
import { exportModel } from "./weights/export-model.ts";
import { createModelImporter } from "./weights/import-model.ts";

/** Serves the store's models; any process can. */
export function createModelService(
  context: Pick<ServiceContext, "store" | "dataDirectory" | "maxImportBytes">,
): ServiceHandler {
  const { store } = context;
  const importer = createModelImporter(context);
  return serviceHandler(ModelService, {
    async listModels({ pageSize, pageToken }) {
      const { models, nextPageToken } = await store.models.list({ pageSize: pageSize || DEFAULT_PAGE_SIZE, pageToken });
      return { models: models.map(modelMessage), nextPageToken };
    },

    async listModelVersions({ parent, pageSize, pageToken }) {
      const page = { pageSize: pageSize || DEFAULT_PAGE_SIZE, pageToken };
      const { versions, nextPageToken } = await store.models.listVersions(parseModelName(parent, "parent"), page);
      return { modelVersions: versions.map(modelVersionMessage), nextPageToken };
    },

    getModelVersion: async ({ name }) => modelVersionMessage(await resolveVersion(store, name, "name")),

    async setAlias({ name, version, etag }) {
      const alias = await store.models.setAlias({
        ...parseAliasName(name),
        target: parseVersionName(version, "version"),
        etag: etag || undefined,
        check: (move) => requireAliasKind(name, move),
      });
      return aliasMessage(alias);
    },

    async deleteAlias({ name, etag }) {
      await store.models.deleteAlias({ ...parseAliasName(name), etag: etag || undefined });
      return {};
    },

    async listAliasMoves({ parent, pageSize, pageToken }) {
      const { model, alias } = parseAliasName(parent, "parent");
      const page = { pageSize: pageSize || DEFAULT_PAGE_SIZE, pageToken };
      const { moves, nextPageToken } = await store.models.aliasHistory(model, alias, page);
      return { aliasMoves: moves.map(aliasMoveMessage), nextPageToken };
    },

    async deleteModelVersion({ name }) {
      const { model, version } = parseVersionName(name);
      if (model === BUILT_IN_MODEL) throw new BuiltInModelError("name");
      await store.models.deleteVersion(model, version);
      return {};
    },

    async importModel(requests, { signal }) {
      const { version, report } = await importer.import(requests, signal);
      return { modelVersion: modelVersionMessage(version), report };
    },

    async *exportModel({ name, format }) {
      yield* exportModel(store, await resolveVersion(store, name, "name"), format);
    },

    quantizeModel: (request) =>
      submitJob(store, ModelService.method.quantizeModel, request, async () =>
        checkQuantization(store, await resolveVersion(store, request.modelVersion, "model_version"), request),
      ),
  });
}

/**
 * The version that a version's or alias's name stands for.
 *
 * @throws {ResourceNameError} when it is no name of either
 * @throws {NotFoundError}
 */
export async function resolveVersion(store: Store, name: string, field: string): Promise<ModelVersionRecord> {
  const { model, version, alias } = parseModelReference(name, field);
  if (alias === undefined) return store.models.getVersion(model, version);
  const record = await store.models.resolveAlias(model, alias);
  if (record === undefined) throw new NotFoundError("alias", name);
  return store.models.getVersion(record.target.model, record.target.version);
}
