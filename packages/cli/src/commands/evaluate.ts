import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import type { DuchenneClient } from "@duchenne/client";
import { type EvaluationReport, type ReportFormat, Split } from "@duchenne/proto";
import { Command, Option } from "commander";
import { describeError } from "../describe-error.ts";
import { addJobOptions, jobOptionsFrom } from "../job-options.ts";
import { formatsFor, putOut } from "../report-forms.ts";
import { serverOption, withClient } from "../server-option.ts";
import { styleFor } from "../terminal/style.ts";
import { followJob } from "./follow-job.ts";
import { checkGate, exitCodeOf, measuresIdentity, NOT_DONE } from "./gate.ts";

interface EvaluateOptions {
  readonly model?: string;
  readonly training?: string;
  readonly dataset: string;
  readonly split?: "held-out" | "all";
  readonly identity: boolean;
  readonly json: boolean;
  readonly html?: string;
  readonly junit?: string;
  readonly gate?: string;
}

/** A version, or the job that makes it. */
type Evaluated = { readonly modelVersion: string } | { readonly trainingJob: string };

/** `duchenne evaluate`: evaluates a version, prints the report, or judges it by a gate. */
export function evaluateCommand(): Command {
  const command = new Command("evaluate");
  return addJobOptions(command)
    .description("evaluate a model version on a data set and print the report, or what a gate finds")
    .option("--model <name>", 'such as "models/demo/versions/1" or "models/demo@live"')
    .addOption(
      new Option(
        "--training <job>",
        "instead: the training or quantization that makes the version, waited for",
      ).conflicts("model"),
    )
    .requiredOption("--dataset <name>", 'such as "datasets/faces"')
    .addOption(
      new Option("--split <part>", "default: what its training held out, else all").choices(["held-out", "all"]),
    )
    .option("--identity", "also measure identity leakage", false)
    .option("--html <file>", "also write a page with charts")
    .option("--junit <file>", "also write JUnit XML; with --gate: of its rules")
    .addOption(new Option("--json", "JSON instead of Markdown").default(false).conflicts("gate"))
    .option("--gate <file>", "judge by these rules; exit code 0: passed, 1: failed, 2: could not tell, 3: not done")
    .addOption(serverOption())
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : NOT_DONE))
    .action(async (options: EvaluateOptions) => {
      try {
        process.exitCode = await evaluateAndPrint(command, options);
      } catch (error) {
        process.stderr.write(`${styleFor(process.stderr).bad("✗")} ${describeError(error)}\n`);
        process.exitCode = NOT_DONE;
      }
    });
}

/** The exit code. */
async function evaluateAndPrint(command: Command, options: EvaluateOptions): Promise<number> {
  const { split, identity, json, html, junit } = options;
  const version = versionFrom(command, options);
  const gate = options.gate === undefined ? undefined : await readFile(options.gate, "utf8");
  const identityLeakage = identity || (gate !== undefined && measuresIdentity(gate));
  const part = split === undefined ? Split.UNSPECIFIED : split === "all" ? Split.ALL : Split.HELD_OUT;
  return withClient(command, async (client) => {
    const evaluate = (of: Evaluated, how: { split: Split; identityLeakage: boolean }, formats: ReportFormat[]) =>
      evaluated(client, command, { ...of, dataset: options.dataset, ...how }, formats);
    const report = await evaluate(
      version,
      { split: part, identityLeakage },
      // With a gate, JUnit XML is of its rules.
      formatsFor({ html, junit: gate === undefined ? junit : undefined }),
    );
    if (gate === undefined) {
      await putOut(report, { json, html, junit });
      return 0;
    }
    if (html !== undefined) await writeFile(html, report.html);
    const check = await checkGate(client, { evaluation: report.name, gate }, (baseline) =>
      evaluate({ modelVersion: baseline }, { split: report.split, identityLeakage: false }, []),
    );
    if (junit !== undefined) await writeFile(junit, check.junitXml);
    process.stdout.write(`${check.markdown}\n${report.markdown}`);
    return exitCodeOf(check);
  });
}

function versionFrom(command: Command, { model, training }: EvaluateOptions): Evaluated {
  if (training !== undefined) return { trainingJob: training };
  if (model !== undefined) return { modelVersion: model };
  return command.error("error: expected --model <name> or --training <job>, got neither");
}

/** Evaluates, and answers the report. */
async function evaluated(
  client: DuchenneClient,
  command: Command,
  what: Evaluated & { readonly dataset: string; split: Split; identityLeakage: boolean },
  formats: ReportFormat[],
): Promise<EvaluationReport> {
  const request = { requestId: randomUUID(), ...what, jobOptions: jobOptionsFrom(command) };
  const job = await client.evaluator.createEvaluation(request);
  const { result } = await followJob(client, job.name, "evaluation");
  return client.evaluator.getReport({ name: (result as { evaluation: string }).evaluation, formats });
}
