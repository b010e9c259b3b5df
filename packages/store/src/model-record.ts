import type { Selectable } from "kysely";
import { canonicalJson, type JsonObject } from "./json.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import type { Tables } from "./schema.ts";
import { sha256 } from "./sha256.ts";

/** A file of a version. */
export interface ModelArtifact {
  /** What it is: "safetensors", "onnx" or "card". */
  readonly role: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** An immutable version of a model. */
export interface ModelVersionRecord {
  readonly model: string;
  /** "1", "2", ... within the model; a number is never given twice. */
  readonly version: string;
  /** The sha256 of its card and of its files' digests: equal versions of whatever name have equal ones. */
  readonly digest: string;
  readonly createTimeMs: number;
  readonly card: JsonObject;
  readonly artifacts: readonly ModelArtifact[];
  /** The job that made it. */
  readonly job?: string;
}

/** A movable name. */
export interface AliasRecord {
  readonly model: string;
  readonly alias: string;
  readonly target: { readonly model: string; readonly version: string };
  /** Changes with every move. */
  readonly etag: string;
  readonly updateTimeMs: number;
}

/** A move of an alias. */
export interface AliasMoveRecord extends Omit<AliasRecord, "target"> {
  /** What it came to point at; undefined when it was deleted. */
  readonly target: AliasRecord["target"] | undefined;
}

/** A model with its aliases. */
export interface ModelRecord {
  readonly id: string;
  readonly createTimeMs: number;
  readonly aliases: readonly AliasRecord[];
  readonly latestVersion?: string;
}

/** A version to create. */
export interface NewModelVersion {
  readonly model: string;
  readonly card: JsonObject;
  /** Their bytes are stored before. */
  readonly artifacts: readonly ModelArtifact[];
  /**
   * The running attempt that makes it; a later attempt of the same job gets the version that the earlier one made.
   * Absent for a version that no job makes, such as an import.
   */
  readonly job?: RunningAttempt | undefined;
  /** The request that makes it, when no job does and it has an id: repeated, it gets the version that it made. */
  readonly request?: VersionRequest | undefined;
}

/** A request that makes a version. */
export interface VersionRequest {
  readonly id: string;
  /** The sha256 of what it asks for. */
  readonly digest: string;
}

/** Reads a row. */
export function versionFromRow(row: Selectable<Tables["model_versions"]>): ModelVersionRecord {
  const card = JSON.parse(row.card) as JsonObject;
  const artifacts = JSON.parse(row.artifacts) as ModelArtifact[];
  const content = canonicalJson({ card, artifacts: artifacts.map(({ role, digest }) => ({ role, digest })) });
  return {
    model: row.model,
    version: String(row.version),
    digest: sha256(content),
    createTimeMs: row.create_time,
    card,
    artifacts,
    ...(row.job === null ? {} : { job: row.job }),
  };
}

/** Reads a row. */
export function aliasFromRow(row: Selectable<Tables["aliases"]>): AliasRecord {
  return {
    model: row.model,
    alias: row.alias,
    target: { model: row.target_model, version: String(row.target_version) },
    etag: String(row.moves),
    updateTimeMs: row.update_time,
  };
}

/** Reads a row. */
export function aliasMoveFromRow(row: Selectable<Tables["alias_moves"]>): AliasMoveRecord {
  const { target_model: model, target_version: version } = row;
  return {
    model: row.model,
    alias: row.alias,
    target: model === null || version === null ? undefined : { model, version: String(version) },
    etag: String(row.move),
    updateTimeMs: row.time,
  };
}

/** The number of a version; 0, which none has, for what is no number. */
export function versionNumber(version: string): number {
  return /^[1-9][0-9]{0,14}$/.test(version) ? Number(version) : 0;
}
