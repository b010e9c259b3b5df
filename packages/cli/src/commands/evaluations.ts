import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Estimate, type EvaluationSummary, Split } from "@duchenne/proto";
import { Command } from "commander";
import { wholeNumber } from "../number-arguments.ts";
import { formatsFor, putOut, type ReportForms } from "../report-forms.ts";
import { serverOption, withClient } from "../server-option.ts";

interface ListOptions {
  readonly model: string;
  readonly dataset: string;
  readonly limit: number;
}

/** `duchenne evaluations`: list, show, delete. */
export function evaluationsCommand(): Command {
  const evaluations = new Command("evaluations").description("list, show and delete evaluations");

  const list = evaluations
    .command("list")
    .description("the newest evaluations, with their main figures")
    .option("--model <name>", 'only of a version, or of all versions of a model, such as "models/demo"', "")
    .option("--dataset <name>", 'only on this data set, such as "datasets/faces"', "")
    .option("--limit <number>", "at most this many", wholeNumber(1, 1000), 50)
    .addOption(serverOption());
  list.action(({ limit: pageSize, model, dataset }: ListOptions) =>
    withClient(list, async ({ evaluator }) => {
      const listed = await evaluator.listEvaluations({ pageSize, model, dataset });
      for (const each of listed.evaluations) process.stdout.write(`${summaryLine(each)}\n`);
    }),
  );

  const show = evaluations
    .command("show")
    .description("print a report")
    .argument("<name>", 'such as "evaluations/..."')
    .option("--json", "JSON instead of Markdown", false)
    .option("--html <file>", "also write a page with charts")
    .option("--junit <file>", "also write JUnit XML")
    .addOption(serverOption());
  show.action((name: string, forms: ReportForms) =>
    withClient(show, async ({ evaluator }) =>
      putOut(await evaluator.getReport({ name, formats: formatsFor(forms) }), forms),
    ),
  );

  const remove = evaluations
    .command("delete")
    .description("delete an evaluation with what its frames scored")
    .argument("<name>", 'such as "evaluations/..."')
    .addOption(serverOption());
  remove.action((name: string) =>
    withClient(remove, async ({ evaluator }) => {
      await evaluator.deleteEvaluation({ name });
      process.stdout.write(`deleted ${name}\n`);
    }),
  );
  return evaluations;
}

/** When, what on what, and how good. */
function summaryLine(summary: EvaluationSummary): string {
  const { name, modelVersion, dataset, split, frames, createTime } = summary;
  const time = createTime === undefined ? "" : timestampDate(createTime).toISOString().slice(0, 16);
  const part = split === Split.HELD_OUT ? "held out" : "all";
  const figures = [
    ["AUC", summary.macroAuc],
    ["F1", summary.meanF1],
    ["top-1", summary.top1],
    ["macro F1", summary.macroF1],
  ] as const;
  const told = figures.flatMap(([title, estimate]) =>
    estimate === undefined ? [] : [`${title} ${inWords(estimate)}`],
  );
  return [time, name, `${modelVersion} on ${dataset} (${part}, ${frames} frames)`, ...told].join("  ");
}

function inWords({ value, lower, upper }: Estimate): string {
  if (value === undefined) return "undefined";
  const interval = lower === undefined || upper === undefined ? "" : ` [${lower.toFixed(3)}, ${upper.toFixed(3)}]`;
  return `${value.toFixed(3)}${interval}`;
}
