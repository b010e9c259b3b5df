import type { Client } from "@connectrpc/connect";
import type { Model, ModelService, ModelVersion } from "@duchenne/proto";

/** What a live view can be asked to score with. */
export interface ModelChoice {
  /** As StreamConfiguration.model takes it. */
  readonly value: string;
  readonly label: string;
}

/** The choices of one model. */
export interface ModelGroup {
  readonly label: string;
  readonly choices: readonly ModelChoice[];
}

/** A model with its versions, newest first. */
export interface ListedModel {
  readonly model: Model;
  readonly versions: readonly ModelVersion[];
}

/** Reads all models with their newest versions. */
export async function listModels(models: Client<typeof ModelService>, signal: AbortSignal): Promise<ListedModel[]> {
  const listed: ListedModel[] = [];
  for (let pageToken = "", more = true; more; ) {
    const page = await models.listModels({ pageToken }, { signal });
    for (const model of page.models) {
      const { modelVersions } = await models.listModelVersions({ parent: model.name }, { signal });
      listed.push({ model, versions: modelVersions });
    }
    pageToken = page.nextPageToken;
    more = pageToken !== "";
  }
  return listed;
}

/** Aliases first, which follow promotions, then the versions that detect action units; models without either are left out. */
export function modelGroups(listed: readonly ListedModel[]): ModelGroup[] {
  return listed
    .map(({ model, versions }) => ({
      label: lastPart(model.name),
      choices: [
        ...model.aliases.map(({ name, version }) => ({
          value: name,
          label: `${name.split("@").at(-1)}, now ${versionInWords(version, model.name)}`,
        })),
        ...versions
          .filter(({ actionUnits }) => actionUnits.length > 0)
          .map(({ name }) => ({ value: name, label: versionInWords(name, model.name) })),
      ],
    }))
    .filter(({ choices }) => choices.length > 0);
}

/** The version that answers when no model is named, as far as the list tells: what is promoted, else the built-in one. */
export function defaultVersion(listed: readonly ListedModel[]): ModelVersion | undefined {
  const live = listed.flatMap(({ model }) => model.aliases).find(({ name }) => name === "models/default@live")?.version;
  const versions = listed.flatMap((each) => each.versions);
  return versions.find(({ name }) => name === live) ?? versions.find(({ kind }) => kind === "blendshape-au");
}

/** A version's name for people, without its model where that is clear. */
export function versionInWords(version: string, model?: string): string {
  const [owner = "", number = ""] = version.split("/versions/");
  return owner === model ? `version ${number}` : `${lastPart(owner)} version ${number}`;
}

function lastPart(name: string): string {
  return name.split("/").at(-1)!;
}
