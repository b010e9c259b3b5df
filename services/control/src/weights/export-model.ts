import type { MessageInitShape } from "@bufbuild/protobuf";
import { ExportFormat, type ExportModelRequest, type ExportModelResponseSchema } from "@duchenne/proto";
import type { ModelVersionRecord, Store } from "@duchenne/store";
import { blobChunks } from "../blob-chunks.ts";
import { versionName } from "../resource-name.ts";

/** Thrown when a version has no file of the kind that is asked for. */
export class FileNotInVersionError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "FILE_NOT_IN_VERSION";

  constructor(version: string, role: string, roles: readonly string[]) {
    super(`Expected a file "${role}" of ${version}, it has ${roles.length === 0 ? "none" : roles.join(", ")}`);
    this.name = "FileNotInVersionError";
  }
}

const FILES: Readonly<Record<number, { readonly role: string; readonly ending: string }>> = {
  [ExportFormat.SAFETENSORS]: { role: "safetensors", ending: "safetensors" },
  [ExportFormat.ONNX]: { role: "onnx", ending: "onnx" },
  [ExportFormat.CARD]: { role: "card", ending: "card.json" },
  [ExportFormat.OPTIMIZER]: { role: "optimizer", ending: "optimizer.safetensors" },
};

/**
 * Streams a file of a version from the disk: its description, then its bytes.
 *
 * @throws {FileNotInVersionError}
 * @throws {BlobDamagedError} before its bytes, when they are missing or not those that were stored
 */
export async function* exportModel(
  store: Store,
  record: ModelVersionRecord,
  format: ExportModelRequest["format"],
): AsyncGenerator<MessageInitShape<typeof ExportModelResponseSchema>> {
  const modelVersion = versionName(record.model, record.version);
  // The rules of the protos refuse others before.
  const { role, ending } = FILES[format]!;
  const artifact = record.artifacts.find((each) => each.role === role);
  if (artifact === undefined) {
    const roles = record.artifacts.map((each) => each.role);
    throw new FileNotInVersionError(modelVersion, role, roles);
  }
  const { digest, sizeBytes } = artifact;
  const fileName = `${record.model}-${record.version}.${ending}`;
  yield { message: { case: "file", value: { modelVersion, fileName, digest, sizeBytes: BigInt(sizeBytes) } } };
  for await (const value of blobChunks(store, digest)) yield { message: { case: "chunk", value } };
}
