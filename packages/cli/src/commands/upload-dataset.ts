import { stat } from "node:fs/promises";
import { archiveFile, archiveOfFolder, uploadDataset } from "@duchenne/client";
import { DatasetProtocol } from "@duchenne/proto";
import { Command, Option } from "commander";
import { serverOption, withClient } from "../server-option.ts";
import { createByteProgress } from "../terminal/byte-progress.ts";
import { LICENSE_HELP, PROTOCOLS_BY_NAME } from "../terminal/dataset-report.ts";

interface UploadOptions {
  readonly protocol?: keyof typeof PROTOCOLS_BY_NAME;
  readonly labels: readonly string[];
  readonly directory: string;
  readonly description: string;
  readonly license: string;
}

/** `duchenne datasets upload`: a folder or a zip of this machine becomes a data set of the server. */
export function uploadDatasetCommand(): Command {
  const command = new Command("upload")
    .description("send a folder or a zip to the server and register it; the same command again resumes what was cut")
    .argument("<id>")
    .argument("<folder|archive>", "on this machine; what register takes, or a zip of it")
    .addOption(
      new Option("--protocol <name>", "read it as published instead of by its manifest").choices(
        Object.keys(PROTOCOLS_BY_NAME),
      ),
    )
    .option(
      "--labels <file>",
      "label file of bp4d, bp4d+, disfa or raf-db, by its way from the folder, within what is sent; may be repeated",
      (file: string, files: readonly string[]) => [...files, file],
      [] as readonly string[],
    )
    .option("--directory <path>", "the data set's folder within what is sent", "")
    .option("--description <text>", "what it is and where it comes from", "")
    .option("--license <text>", LICENSE_HELP, "")
    .addOption(serverOption());
  return command.action((datasetId: string, path: string, options: UploadOptions) =>
    withClient(command, async (client) => {
      const { protocol, labels, directory, description, license } = options;
      const archive = (await stat(path)).isDirectory() ? await archiveOfFolder(path) : await archiveFile(path);
      const dataset = await uploadDataset(
        client,
        archive,
        {
          datasetId,
          directory,
          description,
          license,
          protocol: protocol === undefined ? DatasetProtocol.UNSPECIFIED : PROTOCOLS_BY_NAME[protocol],
          labelFiles: [...labels],
        },
        { onProgress: createByteProgress(process.stderr, datasetId) },
      );
      process.stdout.write(`${dataset.name}: ${dataset.subjects} subjects, ${dataset.frames} frames\n`);
    }),
  );
}
