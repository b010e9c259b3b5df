import { type Client, Code, ConnectError } from "@connectrpc/connect";
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

/** A model with its newest versions, newest first. */
export interface ListedModel {
  readonly model: Model;
  readonly versions: readonly ModelVersion[];
  /** What its aliases lead to, by their names: versions of whatever model and age. */
  readonly aliased: ReadonlyMap<string, ModelVersion>;
}

/** Reads all models with their newest versions. */
export async function listModels(models: Client<typeof ModelService>, signal: AbortSignal): Promise<ListedModel[]> {
  const listed: Omit<ListedModel, "aliased">[] = [];
  for (let pageToken = "", more = true; more; ) {
    const page = await models.listModels({ pageToken }, { signal });
    for (const model of page.models) {
      const { modelVersions } = await models.listModelVersions({ parent: model.name }, { signal });
      listed.push({ model, versions: modelVersions });
    }
    pageToken = page.nextPageToken;
    more = pageToken !== "";
  }
  const versions = new Map(listed.flatMap((each) => each.versions.map((version) => [version.name, version])));
  return Promise.all(
    listed.map(async (each) => {
      const aliased = new Map<string, ModelVersion>();
      for (const { name, version } of each.model.aliases) {
        const target = versions.get(version) ?? (await readVersion(models, version, signal));
        if (target !== undefined) aliased.set(name, target);
      }
      return { ...each, aliased };
    }),
  );
}

/** Undefined: the alias that led to it moved since, and it was deleted. */
async function readVersion(models: Client<typeof ModelService>, name: string, signal: AbortSignal) {
  try {
    return await models.getModelVersion({ name }, { signal });
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.NotFound) return undefined;
    throw error;
  }
}

/**
 * What detects action units: aliases first, which follow promotions, then versions; models without either are left out.
 */
export function modelGroups(listed: readonly ListedModel[]): ModelGroup[] {
  return listed
    .map(({ model, versions, aliased }) => ({
      label: lastPart(model.name),
      choices: [
        ...[...aliased]
          .filter(([, version]) => isDetector(version))
          .map(([alias, { name }]) => ({
            value: alias,
            label: `${alias.split("@").at(-1)}, now ${versionInWords(name, model.name)}`,
          })),
        ...versions.filter(isDetector).map(({ name }) => ({ value: name, label: versionInWords(name, model.name) })),
      ],
    }))
    .filter(({ choices }) => choices.length > 0);
}

const isDetector = ({ actionUnits }: ModelVersion): boolean => actionUnits.length > 0;

/** The version that answers when no model is named, as far as the list tells: what is promoted, else the built-in one. */
export function defaultVersion(listed: readonly ListedModel[]): ModelVersion | undefined {
  const live = listed.map(({ aliased }) => aliased.get("models/default@live")).find((version) => version !== undefined);
  return live ?? listed.flatMap(({ versions }) => versions).find(({ kind }) => kind === "blendshape-au");
}

/** A version's name for people, without its model where that is clear. */
export function versionInWords(version: string, model?: string): string {
  const [owner = "", number = ""] = version.split("/versions/");
  return owner === model ? `version ${number}` : `${lastPart(owner)} version ${number}`;
}

function lastPart(name: string): string {
  return name.split("/").at(-1)!;
}
