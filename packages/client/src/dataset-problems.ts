import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { RegisterDatasetRequestSchema } from "@duchenne/proto";
import { BadRequestSchema, ErrorInfoSchema } from "@duchenne/proto/rpc";
import type { DuchenneClient } from "./duchenne-client.ts";

/** A problem of a data set's files. */
export interface DatasetProblem {
  /** Where, such as "manifest.jsonl:12:image". */
  readonly field: string;
  readonly description: string;
}

/**
 * Every problem of a folder of the server, however many there are, without registering it; none when it can be registered. The
 * server lists what fits into an answer, a few dozen at a time, and reads the folder again for each.
 *
 * @throws {ConnectError} when it is refused for anything else
 */
export async function* datasetProblems(
  { datasets }: Pick<DuchenneClient, "datasets">,
  request: Omit<MessageInitShape<typeof RegisterDatasetRequestSchema>, "$typeName" | "validateOnly" | "skipProblems">,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<DatasetProblem> {
  for (let skipProblems = 0; ; ) {
    const { listed, count } = await datasets
      .registerDataset({ ...request, validateOnly: true, skipProblems }, signal === undefined ? {} : { signal })
      .then(() => ({ listed: [], count: 0 }), problemsOf);
    yield* listed;
    skipProblems += listed.length;
    if (listed.length === 0 || skipProblems >= count) return;
  }
}

/** Those that an answer lists, and how many there are. @throws the error itself when it is not about problems */
function problemsOf(error: unknown): { readonly listed: readonly DatasetProblem[]; readonly count: number } {
  const [info] = error instanceof ConnectError ? error.findDetails(ErrorInfoSchema) : [];
  if (!(error instanceof ConnectError) || info?.reason !== "INVALID_MANIFEST") throw error;
  const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  // One without a field says how many of the listed did not fit into the answer.
  const listed = violations.filter(({ field }) => field !== "");
  return {
    listed: listed.map(({ field, description }) => ({ field, description })),
    count: Number(info.metadata.problems ?? listed.length),
  };
}
