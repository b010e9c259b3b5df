import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LoadReport, ImportOptions as ModelImportOptions } from "@duchenne/model";
import type { ImportModelRequest, ImportOptions } from "@duchenne/proto";
import {
  GARBAGE_MIN_AGE_MS,
  type JsonObject,
  type ModelArtifact,
  type ModelVersionRecord,
  type Store,
  storing,
} from "@duchenne/store";
import { BuiltInModelError } from "../built-in-model-error.ts";
import { BUILT_IN_MODEL, cardOf } from "../describe-version.ts";
import { InvalidFieldError } from "../invalid-field-error.ts";
import { parseModelName } from "../resource-name.ts";
import { createConverter, WeightConversionError } from "./convert-weights.ts";
import { importRequest } from "./import-request.ts";
import { importedCard } from "./imported-card.ts";
import { publishedOutputs } from "./published-outputs.ts";
import { receiveUpload } from "./receive-upload.ts";

/** Thrown when a protocol is given and, beside it, action units or expressions. */
export class ContradictingOutputsError extends InvalidFieldError {
  readonly reason = "CONTRADICTING_OUTPUTS";

  constructor() {
    super("options.protocol", "Expected a protocol, or action units or expressions; got both");
  }
}

/** What imports need. */
export interface ModelImporterOptions {
  readonly store: Store;
  /** On the same disk as the store's blobs. */
  readonly dataDirectory: string;
  readonly maxImportBytes: number;
}

/** Makes versions from uploads. */
export interface ModelImporter {
  /**
   * Receives a file, converts it and makes the version; for a request that is repeated it only receives it. What fails or is
   * aborted before the version leaves nothing.
   *
   * @throws {UploadOrderError} @throws {UploadTooLargeError} @throws {UploadMismatchError}
   * @throws {WeightConversionError} @throws {BuiltInModelError} @throws {ContradictingOutputsError}
   * @throws {DiskFullError} @throws {AlreadyExistsError} when the request id belongs to another request
   * @throws {NotFoundError} when what the request made was deleted
   */
  import(
    requests: AsyncIterable<ImportModelRequest>,
    signal: AbortSignal,
  ): Promise<{ readonly version: ModelVersionRecord; readonly report: LoadReport }>;
}

/** Makes an importer. */
export function createModelImporter({ store, dataDirectory, maxImportBytes }: ModelImporterOptions): ModelImporter {
  const imports = join(dataDirectory, "imports");
  const convert = createConverter();
  const importFrom: ModelImporter["import"] = async (requests, signal) => {
    await removeStale(imports);
    const folder = join(imports, randomUUID());
    try {
      await mkdir(folder, { recursive: true });
      const path = join(folder, "upload");
      const upload = await receiveUpload(requests, { path, maxBytes: maxImportBytes, check: checkOptions });
      const { options } = upload;
      const request = importRequest(upload);
      const made = request && (await store.models.requestedVersion(request));
      if (made !== undefined) return { version: made, report: reportOf(made) };
      const task = { path, folder, options: modelOptions(options) };
      const conversion = await convert(task, signal).catch((error: unknown) => {
        throw withFieldNames(error, options);
      });
      const card = importedCard(upload, conversion);
      await writeFile(join(folder, "card"), `${JSON.stringify(card, null, 2)}\n`);
      signal.throwIfAborted();
      const artifacts: ModelArtifact[] = [];
      for (const role of [...conversion.roles, "card"]) {
        artifacts.push({ role, ...(await store.blobs.adopt(join(folder, role))) });
      }
      const model = parseModelName(options.model);
      const version = await store.models.createVersion({ model, card: card as JsonObject, artifacts, request });
      return { version, report: reportOf(version) };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  return { import: (requests, signal) => storing("an imported model", () => importFrom(requests, signal)) };
}

/** What became of the tensors of the file that a version was made from. */
function reportOf(version: ModelVersionRecord): LoadReport {
  const { imported } = cardOf(version);
  if (imported === undefined) throw new TypeError("Expected an import's version to say what it was made from");
  return imported.report;
}

function checkOptions(options: ImportOptions): void {
  const { model, actionUnits, expressions } = options;
  if (parseModelName(model, "options.model") === BUILT_IN_MODEL) throw new BuiltInModelError("options.model");
  const isGiven = actionUnits.length + expressions.length > 0;
  if (publishedOutputs(options) !== undefined && isGiven) throw new ContradictingOutputsError();
}

/** What was not set is undefined. */
function modelOptions(options: ImportOptions): ModelImportOptions {
  const { actionUnits, expressions, subjects, heads, decoderHeads, imageSize, keepOptimizer } = options;
  return {
    ...(publishedOutputs(options) ?? { actionUnits, expressions }),
    subjects,
    heads: heads || undefined,
    decoderHeads: decoderHeads || undefined,
    imageSize: imageSize || undefined,
    optimizer: keepOptimizer,
  };
}

/** Fields named as the caller named them: "options.action_units". */
function withFieldNames(error: unknown, options: ImportOptions): unknown {
  if (!(error instanceof WeightConversionError)) return error;
  const outputs = publishedOutputs(options) ?? {};
  const nameOf = (field: string): string =>
    field in outputs
      ? "options.protocol"
      : `options.${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
  const violations = error.violations.map(({ field, description }) => ({ field: nameOf(field), description }));
  const { name, message, stack, code, reason, metadata } = error;
  return new WeightConversionError({ name, message, stack, code, reason, metadata, violations });
}

/** Removes what a killed server left of uploads. */
async function removeStale(imports: string): Promise<void> {
  for (const name of await readdir(imports).catch(() => [])) {
    const folder = join(imports, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > GARBAGE_MIN_AGE_MS) await rm(folder, { recursive: true, force: true });
  }
}
