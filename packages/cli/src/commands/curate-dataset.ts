import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { addJobOptions, jobOptionsFrom } from "../job-options.ts";
import { positive, wholeNumber } from "../number-arguments.ts";
import { serverOption, withClient } from "../server-option.ts";
import { curationResultSchema, curationTable } from "../terminal/curation-table.ts";
import { followJob } from "./follow-job.ts";

interface CurateOptions {
  readonly minSide: number;
  readonly maxAspectRatio: number;
  readonly size: number;
  readonly framesPerSecond: number;
  readonly description: string;
  readonly license: string;
  readonly keepDuplicates: boolean;
  readonly dryRun: boolean;
}

/** `duchenne datasets curate`: images to pretrain on, from a folder of pictures and videos. */
export function curateDatasetCommand(): Command {
  const command = new Command("curate");
  return addJobOptions(command)
    .description("make images to pretrain on from a folder of pictures and videos, as Face9M was made")
    .argument("<id>", "the id of the data set that it becomes")
    .argument("<folder>", "below a folder that the server may read")
    .option("--min-side <pixels>", "leave out what has a smaller side", wholeNumber(1, 8192), 224)
    .option("--max-aspect-ratio <r>", "leave out what has a larger ratio of its sides", positive, 1.5)
    .option("--size <pixels>", "side of the images that are made", wholeNumber(32, 1024), 224)
    .option("--frames-per-second <n>", "frames that are taken of a second of a video", positive, 1)
    .option("--keep-duplicates", "keep files with the same bytes, as published", false)
    .option("--description <text>", "what it is and where it comes from; default: how it was made", "")
    .option(
      "--license <text>",
      "what is known of the licence of the pictures, for the cards of what is trained on them",
      "",
    )
    .option("--dry-run", "only check, and print what would be done", false)
    .addOption(serverOption())
    .action((datasetId: string, directory: string, options: CurateOptions) =>
      withClient(command, async (client) => {
        const { minSide, maxAspectRatio, size, framesPerSecond, keepDuplicates, description, license, dryRun } =
          options;
        const job = await client.datasets.curateDataset({
          requestId: randomUUID(),
          datasetId,
          directory,
          minSide,
          maxAspectRatio,
          size,
          videoFramesPerSecond: framesPerSecond,
          excludeDuplicates: !keepDuplicates,
          description,
          license,
          validateOnly: dryRun,
          jobOptions: jobOptionsFrom(command),
        });
        if (dryRun) {
          process.stdout.write(`${JSON.stringify(job.spec, null, 2)}\n`);
          return;
        }
        const result = curationResultSchema.parse((await followJob(client, job.name, "curation")).result);
        process.stderr.write(`${curationTable(result).join("\n")}\n`);
        process.stdout.write(`${result.dataset}\n`);
      }),
    );
}
