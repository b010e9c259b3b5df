import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { ReportFormat, Split } from "@duchenne/proto";
import { Command, Option } from "commander";
import { addJobOptions, jobOptionsFrom } from "../job-options.ts";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";

interface EvaluateOptions {
  readonly model: string;
  readonly dataset: string;
  readonly split?: "held-out" | "all";
  readonly identity: boolean;
  readonly json: boolean;
  readonly html?: string;
  readonly junit?: string;
}

/** `duchenne evaluate`: evaluates a version and prints the report. */
export function evaluateCommand(): Command {
  const command = new Command("evaluate");
  return addJobOptions(command)
    .description("evaluate a model version on a data set and print the report")
    .requiredOption("--model <name>", 'such as "models/demo/versions/1" or "models/demo@live"')
    .requiredOption("--dataset <name>", 'such as "datasets/faces"')
    .addOption(
      new Option("--split <part>", "default: what its training held out, else all").choices(["held-out", "all"]),
    )
    .option("--identity", "also measure identity leakage", false)
    .option("--json", "JSON instead of Markdown", false)
    .option("--html <file>", "also write a page with charts")
    .option("--junit <file>", "also write JUnit XML")
    .addOption(serverOption())
    .action(async ({ model, dataset, split, identity, json, html, junit }: EvaluateOptions) => {
      await withClient(command, async (client) => {
        const job = await client.evaluator.createEvaluation({
          requestId: randomUUID(),
          modelVersion: model,
          dataset,
          split: split === undefined ? Split.UNSPECIFIED : split === "all" ? Split.ALL : Split.HELD_OUT,
          identityLeakage: identity,
          jobOptions: jobOptionsFrom(command),
        });
        const { result } = await followJob(client, job.name, "evaluation");
        const report = await client.evaluator.getReport({
          name: (result as { evaluation: string }).evaluation,
          formats: [
            ...(html === undefined ? [] : [ReportFormat.HTML]),
            ...(junit === undefined ? [] : [ReportFormat.JUNIT]),
          ],
        });
        if (html !== undefined) await writeFile(html, report.html);
        if (junit !== undefined) await writeFile(junit, report.junitXml);
        process.stdout.write(json ? `${report.json}\n` : report.markdown);
      });
    });
}
