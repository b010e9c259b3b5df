import { Command, InvalidArgumentError, Option } from "commander";
import { serverOption, withClient } from "../server-option.ts";

interface CompareOptions {
  readonly confidence?: number;
  readonly json: boolean;
}

/** `duchenne compare`: how two evaluations on the same frames differ. */
export function compareCommand(): Command {
  const command = new Command("compare");
  return command
    .description("compare two evaluations on the same frames, subject by subject")
    .argument("<before>", 'an evaluation, such as "evaluations/..."')
    .argument("<after>", "another of the same frames")
    .addOption(new Option("--confidence <share>", "of the intervals (default: 0.95)").argParser(share))
    .option("--json", "JSON instead of Markdown", false)
    .addOption(serverOption())
    .action(async (before: string, after: string, { confidence, json }: CompareOptions) => {
      await withClient(command, async ({ evaluator }) => {
        const comparison = await evaluator.compareEvaluations({ before, after, confidence });
        process.stdout.write(json ? `${comparison.json}\n` : comparison.markdown);
      });
    });
}

function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0.5 && value < 1))
    throw new InvalidArgumentError(`Expected a number from 0.5 to below 1, got "${text}"`);
  return value;
}
