import { randomUUID } from "node:crypto";
import { RangeMethod } from "@duchenne/proto";
import { Command, Option } from "commander";
import { z } from "zod";
import { addJobOptions, jobOptionsFrom } from "../job-options.ts";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";

const RANGES = {
  "least-squares": RangeMethod.LEAST_SQUARES,
  percentile: RangeMethod.PERCENTILE,
  "min-max": RangeMethod.MIN_MAX,
} as const;

interface QuantizeCommandOptions {
  readonly dataset: string;
  readonly model: string;
  readonly calibrationFrames: number;
  readonly checkFrames: number;
  readonly ranges: keyof typeof RANGES;
  readonly maxDifference?: number;
  readonly seed?: number;
  readonly dryRun: boolean;
}

const resultSchema = z.object({ modelVersion: z.string(), meanDifference: z.number() });

/** `duchenne models quantize`: an int8 version of a version in float32. */
export function quantizeModelCommand(): Command {
  const command = new Command("quantize");
  return addJobOptions(command)
    .description("make an int8 version of a detector or classifier, calibrated on a data set")
    .argument("<version>", 'such as "models/demo/versions/1" or "models/demo@live"')
    .requiredOption("--dataset <name>", 'faces to calibrate on, such as "datasets/faces"; labels are not needed')
    .option("--model <name>", "the model that gets the version; default: the source's own", "")
    .option("--calibration-frames <n>", "frames to calibrate on; default: 128", Number, 0)
    .option("--check-frames <n>", "frames to compare both on; default: 512", Number, 0)
    .addOption(
      new Option("--ranges <method>", "how ranges are chosen").choices(Object.keys(RANGES)).default("least-squares"),
    )
    .option("--max-difference <p>", "the largest mean difference of a probability; default: 0.01", Number)
    .option("--seed <n>", "seed of the frames that are drawn", Number)
    .option("--dry-run", "only check, and print what would be done", false)
    .addOption(serverOption())
    .action((modelVersion: string, options: QuantizeCommandOptions) =>
      withClient(command, async (client) => {
        const { dataset, model, calibrationFrames, checkFrames, ranges, maxDifference, seed, dryRun } = options;
        const job = await client.models.quantizeModel({
          requestId: randomUUID(),
          modelVersion,
          dataset,
          model,
          calibrationFrames,
          checkFrames,
          rangeMethod: RANGES[ranges],
          ...(maxDifference !== undefined && { maxMeanDifference: maxDifference }),
          ...(seed !== undefined && { seed: BigInt(seed) }),
          validateOnly: dryRun,
          jobOptions: jobOptionsFrom(command),
        });
        if (dryRun) {
          process.stdout.write(`${JSON.stringify(job.spec, null, 2)}\n`);
          return;
        }
        const { modelVersion: made, meanDifference } = resultSchema.parse(
          (await followJob(client, job.name, "quantization")).result,
        );
        process.stderr.write(`probabilities differ by ${meanDifference.toFixed(4)} on average\n`);
        process.stdout.write(`${made}\n`);
      }),
    );
}
