import { randomUUID } from "node:crypto";
import { Split } from "@duchenne/proto";
import { Command, Option } from "commander";
import { addJobOptions, jobOptionsFrom } from "../job-options.ts";
import { positive, wholeNumber } from "../number-arguments.ts";
import { formatsFor, putOut } from "../report-forms.ts";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";

const count = wholeNumber(1, 10_000);

interface ProjectOptions {
  readonly model: string;
  readonly dataset: string;
  readonly split?: "held-out" | "all";
  readonly frames?: number;
  readonly subjects?: number;
  readonly perplexity?: number;
  readonly neighbours?: number;
  readonly seed?: number;
  readonly html?: string;
  readonly json: boolean;
}

/** `duchenne project`: projects a version's features to the plane, and prints what neighbours say of them. */
export function projectCommand(): Command {
  const command = new Command("project");
  return addJobOptions(command)
    .description("project a version's features on frames to the plane (t-SNE), and print what their neighbours say")
    .requiredOption("--model <name>", 'such as "models/demo/versions/1" or "models/demo@live"')
    .requiredOption("--dataset <name>", 'such as "datasets/faces"')
    .addOption(
      new Option("--split <part>", "default: what its training held out, else all").choices(["held-out", "all"]),
    )
    .addOption(new Option("--frames <n>", "frames to draw at most (default: 2000)").argParser(count))
    .addOption(new Option("--subjects <n>", "subjects to draw at most (default: all)").argParser(count))
    .addOption(new Option("--perplexity <n>", "default: 30, or what few frames allow").argParser(positive))
    .addOption(new Option("--neighbours <n>", "nearest neighbours to look at (default: 10)").argParser(count))
    .addOption(
      new Option("--seed <n>", "of the draws and of the projection (default: 0)").argParser(
        wholeNumber(0, Number.MAX_SAFE_INTEGER),
      ),
    )
    .option("--html <file>", "also write a page with the plot, coloured by subject or action unit")
    .option("--json", "JSON with every frame instead of Markdown", false)
    .addOption(serverOption())
    .action((options: ProjectOptions) => project(command, options));
}

async function project(command: Command, options: ProjectOptions): Promise<void> {
  const { model, dataset, split, frames = 0, subjects = 0, perplexity, neighbours = 0, seed = 0, html, json } = options;
  await withClient(command, async (client) => {
    const job = await client.evaluator.createProjection({
      requestId: randomUUID(),
      modelVersion: model,
      dataset,
      split: split === undefined ? Split.UNSPECIFIED : split === "all" ? Split.ALL : Split.HELD_OUT,
      maxFrames: frames,
      maxSubjects: subjects,
      perplexity,
      neighbours,
      seed: BigInt(seed),
      jobOptions: jobOptionsFrom(command),
    });
    process.stderr.write(`${job.name}: ${job.displayName}\n`);
    const { result } = await followJob(client, job.name, "projection");
    const projection = await client.evaluator.getProjection({
      name: (result as { projection: string }).projection,
      formats: formatsFor({ html }),
    });
    await putOut(projection, { json, html });
  });
}
