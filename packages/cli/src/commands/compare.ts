import { Command, InvalidArgumentError, Option } from "commander";
import { formatsFor, putOut } from "../report-forms.ts";
import { serverOption, withClient } from "../server-option.ts";

interface CompareOptions {
  readonly confidence?: number;
  readonly json: boolean;
  readonly html?: string;
  readonly junit?: string;
}

/** `duchenne compare`: how two evaluations differ on the frames that both have. */
export function compareCommand(): Command {
  const command = new Command("compare");
  return command
    .description("compare two evaluations on the frames that both have, subject by subject")
    .argument("<before>", 'an evaluation, such as "evaluations/..."')
    .argument("<after>", "another of the same frames, or both of the part that each training held out")
    .addOption(new Option("--confidence <share>", "of the intervals (default: 0.95)").argParser(share))
    .option("--json", "JSON instead of Markdown", false)
    .option("--html <file>", "also write a page with charts")
    .option("--junit <file>", "also write JUnit XML")
    .addOption(serverOption())
    .action(async (before: string, after: string, { confidence, json, html, junit }: CompareOptions) => {
      await withClient(command, async ({ evaluator }) => {
        const formats = formatsFor({ html, junit });
        const comparison = await evaluator.compareEvaluations({ before, after, confidence, formats });
        await putOut(comparison, { json, html, junit });
      });
    });
}

function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0.5 && value < 1))
    throw new InvalidArgumentError(`Expected a number from 0.5 to below 1, got "${text}"`);
  return value;
}
