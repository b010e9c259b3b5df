import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ExportVideoAnalysisRequestSchema } from "@duchenne/proto";
import type { DuchenneClient } from "./duchenne-client.ts";
import { receiveFile } from "./receive-file.ts";

/**
 * Writes a table of a video analysis into a folder, under the video's name. The file appears whole or not at all.
 *
 *     const job = await client.detector.createVideoAnalysis({ video: "interview.mp4", formats: [TableFormat.CSV] });
 *     await waitForJob(client, job.name);
 *     await exportVideoAnalysis(client, { name: job.name, format: TableFormat.CSV }, "./tables");
 *
 * @returns the file's path
 * @throws {DamagedExportError}
 */
export function exportVideoAnalysis(
  { detector }: DuchenneClient,
  request: MessageInitShape<typeof ExportVideoAnalysisRequestSchema>,
  folder: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  return receiveFile(() => detector.exportVideoAnalysis(request, signal === undefined ? {} : { signal }), folder);
}
