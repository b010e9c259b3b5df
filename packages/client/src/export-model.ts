import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ExportModelRequestSchema } from "@duchenne/proto";
import type { DuchenneClient } from "./duchenne-client.ts";
import { receiveFile } from "./receive-file.ts";

/**
 * Writes a file of a version into a folder, under the server's name for it. The file appears whole or not at all.
 *
 *     await exportModel(client, { name: "models/demo@live", format: ExportFormat.ONNX }, "./exported");
 *
 * @returns the file's path
 * @throws {DamagedExportError}
 */
export function exportModel(
  { models }: DuchenneClient,
  request: MessageInitShape<typeof ExportModelRequestSchema>,
  folder: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  return receiveFile(() => models.exportModel(request, signal === undefined ? {} : { signal }), folder);
}
