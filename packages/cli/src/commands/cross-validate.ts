import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FineTuneSchema } from "@duchenne/proto";
import { Command, InvalidArgumentError, Option } from "commander";
import { addJobOptions, amounts, jobOptionsFrom } from "../job-options.ts";
import { formatsFor, putOut } from "../report-forms.ts";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";
import {
  ADVERSARY,
  AUGMENTATION,
  addOptions,
  DATASET,
  ENCODER,
  fieldsFrom,
  MODEL,
  OPTIMIZATION,
  PRESET,
  SPLIT,
} from "./training/training-options.ts";

interface CrossValidateOptions {
  readonly seeds: readonly bigint[];
  readonly identity: boolean;
  readonly evaluationResources?: Readonly<Record<string, number>>;
  readonly html?: string;
  readonly junit?: string;
  readonly json: boolean;
  readonly watch: boolean;
  readonly dryRun: boolean;
}

/** What a cross-validation decides for each of its trainings. */
const DECIDED = ["split.fold", "split.testFraction", "optimization.seed"];
const RECIPE = [...PRESET, ...ADVERSARY, ...ENCODER, ...SPLIT, ...AUGMENTATION, ...OPTIMIZATION].filter(
  ({ field }) => !DECIDED.includes(field),
);

/** `duchenne cross-validate`: trains on all folds but one, each in turn, evaluates, and prints the combined report. */
export function crossValidateCommand(): Command {
  const command = new Command("cross-validate").description(
    "fine-tune with each fold held out in turn, evaluate, and print the combined report",
  );
  for (const { flags, text } of [DATASET, MODEL]) command.requiredOption(flags, text);
  return addJobOptions(addOptions(command, RECIPE))
    .addOption(
      new Option("--seeds <list>", "seeds of the trainings, such as 1,2,3; each trains on all folds")
        .argParser(seeds)
        .default([0n], "0"),
    )
    .option("--identity", "also measure identity leakage of each version", false)
    .addOption(
      new Option("--evaluation-resources <amounts>", "what each evaluation takes of its machine").argParser(amounts),
    )
    .option("--html <file>", "also write a page with charts")
    .option("--junit <file>", "also write JUnit XML")
    .option("--json", "JSON instead of Markdown", false)
    .option("--no-watch", "start it and go")
    .option("--dry-run", "only check every fold and seed, and print what would be made", false)
    .addOption(serverOption())
    .action((options: CrossValidateOptions) => crossValidate(command, options));
}

async function crossValidate(command: Command, options: CrossValidateOptions): Promise<void> {
  const { dryRun, html, junit, json, identity, evaluationResources = {} } = options;
  const fineTune = fieldsFrom(command, [DATASET, MODEL, ...RECIPE]) as MessageInitShape<typeof FineTuneSchema>;
  await withClient(command, async (client) => {
    const job = await client.evaluator.createCrossValidation({
      requestId: randomUUID(),
      validateOnly: dryRun,
      fineTune,
      seeds: [...options.seeds],
      identityLeakage: identity,
      evaluationResources: { ...evaluationResources },
      jobOptions: jobOptionsFrom(command),
    });
    if (dryRun) {
      process.stdout.write(`${JSON.stringify(job.spec, null, 2)}\n`);
      return;
    }
    process.stderr.write(`${job.name}: ${job.displayName}\n`);
    if (!options.watch) {
      process.stdout.write(`${job.name}\n`);
      return;
    }
    const { result } = await followJob(client, job.name, "cross-validation");
    const report = await client.evaluator.getCrossValidation({
      name: (result as { crossValidation: string }).crossValidation,
      formats: formatsFor({ html, junit }),
    });
    await putOut(report, { json, html, junit });
  });
}

function seeds(text: string): readonly bigint[] {
  const parts = text.split(",");
  if (!parts.every((part) => /^[0-9]{1,15}$/.test(part)))
    throw new InvalidArgumentError(`Expected whole numbers with commas between them, got "${text}"`);
  return parts.map(BigInt);
}
