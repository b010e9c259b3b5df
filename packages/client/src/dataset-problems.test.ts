import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { DatasetService } from "@duchenne/proto";
import { BadRequestSchema, ErrorInfoSchema } from "@duchenne/proto/rpc";
import { expect, it } from "vitest";
import { datasetProblems } from "./dataset-problems.ts";

/** A server that finds so many problems, of which 100 fit into an answer; the questions that it was asked. */
function server(problems: number, reason = "INVALID_MANIFEST") {
  const asked: { validateOnly: boolean; skipProblems: number }[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(DatasetService, {
      registerDataset({ validateOnly, skipProblems }) {
        asked.push({ validateOnly, skipProblems });
        if (problems === 0) return {};
        const all = Array.from({ length: problems }, (_, i) => ({ field: `line ${i}`, description: "No file" }));
        const fieldViolations = all.slice(skipProblems, skipProblems + 100);
        const left = problems - skipProblems - fieldViolations.length;
        if (left > 0) fieldViolations.push({ field: "", description: `And ${left} more` });
        throw new ConnectError("Problems", Code.InvalidArgument, undefined, [
          { desc: ErrorInfoSchema, value: { reason, metadata: { problems: String(problems) } } },
          { desc: BadRequestSchema, value: { fieldViolations } },
        ]);
      },
    });
  });
  return { datasets: createClient(DatasetService, transport), asked };
}
const request = { datasetId: "faces", directory: "./faces" };
async function fields(client: ReturnType<typeof server>): Promise<string[]> {
  const found: string[] = [];
  for await (const { field } of datasetProblems(client, request)) found.push(field);
  return found;
}

it.each([1, 100, 101, 250])("all of %i problems are listed, each once, and nothing is registered", async (count) => {
  const client = server(count);
  expect(await fields(client)).toEqual(Array.from({ length: count }, (_, i) => `line ${i}`));
  expect(client.asked.every(({ validateOnly }) => validateOnly)).toBe(true);
  expect(client.asked).toHaveLength(Math.ceil(count / 100));
});

it("a folder without problems has none, and another refusal is thrown", async () => {
  expect(await fields(server(0))).toEqual([]);
  await expect(fields(server(1, "DIRECTORY_NOT_ALLOWED"))).rejects.toThrow("Problems");
});
