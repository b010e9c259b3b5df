import { randomUUID } from "node:crypto";
import { IdentityLoss, UnknownLabels } from "@duchenne/proto";
import { Command, Option } from "commander";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";

interface TrainOptions {
  readonly dataset: string;
  readonly model: string;
  readonly variant: string;
  readonly identityLoss: "bce" | "ce";
  readonly flip: boolean;
  readonly unknownAsNegative: boolean;
  readonly watch: boolean;
  readonly dryRun: boolean;
  readonly [number: string]: unknown;
}

/** Numbers of the recipe that are passed on as they are; what is not given takes the server's default. */
const NUMBERS = [
  ["lambda", "strength of the gradient reversal; 0: no identity head"],
  ["identityLayers", "linear layers of the identity head, 1 to 3"],
  ["epochs", "passes over the training part"],
  ["warmupEpochs", "passes of linear warm-up"],
  ["batchSize", "images a pass"],
  ["accumulationSteps", "passes a step"],
  ["clipGradientNorm", "largest joint norm of the gradients; 0: any"],
  ["baseLearningRate", "learning rate per 256 images"],
  ["layerDecay", "learning rate factor from one layer to the one below it"],
  ["weightDecay", "decoupled weight decay"],
  ["dropPath", "stochastic depth of the last block"],
  ["testFraction", "share of the subjects that is held out"],
  ["checkpointEverySteps", "steps between checkpoints"],
] as const;

/** `duchenne train`: starts an action unit fine-tune and watches it. */
export function trainCommand(): Command {
  const command = new Command("train")
    .description("fine-tune an action unit detector, with or without identity adversarial training")
    .requiredOption("--dataset <name>", 'such as "datasets/faces"')
    .requiredOption("--model <name>", 'the model that gets a version, such as "models/demo"')
    .option("--variant <name>", "micro, tiny, small, base, large or huge", "")
    .addOption(new Option("--identity-loss <kind>", "bce as published, or ce").choices(["bce", "ce"]).default("bce"))
    .option("--no-flip", "do not mirror images")
    .option("--unknown-as-negative", "take unknown labels as absent, as published", false)
    .option("--seed <n>", "seed of everything random", BigInt);
  for (const [name, text] of NUMBERS) {
    command.option(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} <n>`, text, Number);
  }
  return command
    .option("--no-watch", "start it and go")
    .option("--dry-run", "only check the recipe", false)
    .addOption(serverOption())
    .action(async (options: TrainOptions) => {
      const { dataset, model, variant, identityLoss, flip, unknownAsNegative, watch, dryRun } = options;
      const numbers = Object.fromEntries(
        [...NUMBERS.map(([name]) => name), "seed"].flatMap((name) =>
          options[name] === undefined ? [] : [[name, options[name]]],
        ),
      );
      const value = {
        dataset,
        model,
        variant,
        identityLoss: identityLoss === "ce" ? IdentityLoss.CE : IdentityLoss.BCE,
        horizontalFlip: flip,
        unknownLabels: unknownAsNegative ? UnknownLabels.NEGATIVE : UnknownLabels.MASKED,
        ...numbers,
      };
      await withClient(command, async (client) => {
        const job = await client.trainer.createTrainingJob({
          requestId: randomUUID(),
          validateOnly: dryRun,
          training: { case: "fineTune", value },
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
        const { result } = await followJob(client, job.name, "training");
        process.stdout.write(`${(result as { modelVersion: string }).modelVersion}\n`);
      });
    });
}
