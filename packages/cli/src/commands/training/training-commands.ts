import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CreateTrainingJobRequestSchema } from "@duchenne/proto";
import { Command } from "commander";
import { addJobOptions, jobOptionsFrom } from "../../job-options.ts";
import { serverOption, withClient } from "../../server-option.ts";
import { followJob } from "../follow-job.ts";
import {
  ADVERSARY,
  AUGMENTATION,
  addOptions,
  DATASET,
  DISTILLATION,
  ENCODER,
  fieldsFrom,
  MASKING,
  MODEL,
  OPTIMIZATION,
  PRESET,
  PROBE,
  SPLIT,
  type TrainingOption,
} from "./training-options.ts";

type Training = NonNullable<MessageInitShape<typeof CreateTrainingJobRequestSchema>["training"]>;

/** A kind of training on the command line. */
interface TrainingCommand {
  readonly name: string;
  readonly description: string;
  readonly training: NonNullable<Training["case"]>;
  /** Such that must be given, as commander takes them. */
  readonly required: readonly TrainingOption[];
  readonly optional: readonly TrainingOption[];
  /** The field of the job's result that is printed. */
  readonly result?: string;
}

const version = (flag: string, field: string, text: string): TrainingOption => ({
  flags: `--${flag} <version>`,
  field,
  text,
});

const COMMANDS: readonly TrainingCommand[] = [
  {
    name: "train",
    description: "fine-tune an action unit detector, with or without identity adversarial training",
    training: "fineTune",
    required: [DATASET, MODEL],
    optional: [...PRESET, ...ADVERSARY, ...ENCODER, ...SPLIT, ...AUGMENTATION, ...OPTIMIZATION],
    result: "modelVersion",
  },
  {
    name: "pretrain",
    description: "pretrain an encoder as a masked autoencoder, without labels",
    training: "pretrain",
    required: [DATASET, MODEL],
    optional: [...MASKING, ...ENCODER, ...SPLIT, ...AUGMENTATION, ...OPTIMIZATION],
    result: "modelVersion",
  },
  {
    name: "train-expression",
    description: "fine-tune an expression classifier",
    training: "fineTuneExpression",
    required: [DATASET, MODEL],
    optional: [...PRESET, ...ENCODER, ...SPLIT, ...AUGMENTATION, ...OPTIMIZATION],
    result: "modelVersion",
  },
  {
    name: "distil",
    description: "train a small detector to answer like a large one",
    training: "distil",
    required: [
      DATASET,
      MODEL,
      version("teacher", "teacherModelVersion", "the detector to learn from, a version or alias"),
    ],
    optional: [...DISTILLATION, ...ENCODER, ...SPLIT, ...AUGMENTATION, ...OPTIMIZATION],
    result: "modelVersion",
  },
  {
    name: "probe",
    description: "measure how well subjects can be named from a model's features",
    training: "linearProbe",
    required: [DATASET, version("model", "modelVersion", "the version or alias to probe")],
    optional: [...PRESET, ...PROBE, ...AUGMENTATION, ...OPTIMIZATION],
  },
];

/** `duchenne train`, `pretrain`, `train-expression`, `distil` and `probe`: each starts a training and watches it. */
export function trainingCommands(): Command[] {
  return COMMANDS.map(commandFor);
}

function commandFor({ name, description, training, required, optional, result: field }: TrainingCommand): Command {
  const command = new Command(name).description(description);
  for (const { flags, text } of required) command.requiredOption(flags, text);
  return addJobOptions(addOptions(command, optional))
    .option("--no-watch", "start it and go")
    .option("--dry-run", "only check the recipe, and print it complete", false)
    .addOption(serverOption())
    .action(async ({ watch, dryRun }: { watch: boolean; dryRun: boolean }) => {
      const value = fieldsFrom(command, [...required, ...optional]);
      await withClient(command, async (client) => {
        const job = await client.trainer.createTrainingJob({
          requestId: randomUUID(),
          validateOnly: dryRun,
          training: { case: training, value } as Training,
          jobOptions: jobOptionsFrom(command),
        });
        if (dryRun) {
          process.stdout.write(`${JSON.stringify(job.spec, null, 2)}\n`);
          return;
        }
        process.stderr.write(`${job.name}: ${job.displayName}\n`);
        if (!watch) {
          process.stdout.write(`${job.name}\n`);
          return;
        }
        const { result = {} } = await followJob(client, job.name, name);
        process.stdout.write(`${field === undefined ? JSON.stringify(result, null, 2) : result[field]}\n`);
      });
    });
}
