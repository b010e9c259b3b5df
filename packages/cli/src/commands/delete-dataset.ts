import type { Dataset } from "@duchenne/proto";
import { Command } from "commander";
import { serverOption, withClient } from "../server-option.ts";

/** `duchenne datasets delete`. */
export function deleteDatasetCommand(): Command {
  const command = new Command("delete")
    .description("delete a data set that no unfinished job needs; a folder that was registered is not touched")
    .argument("<name>", 'such as "datasets/faces"')
    .addOption(serverOption());
  return command.action((name: string) =>
    withClient(command, async (client) => {
      const dataset = await client.datasets.getDataset({ name });
      await client.datasets.deleteDataset({ name });
      process.stdout.write(`deleted ${name}; ${whatStays(dataset)}\n`);
    }),
  );
}

function whatStays({ managed, directory, stored }: Dataset): string {
  const folder = managed
    ? `its files in ${directory} are removed within the hour, unless another data set is registered on them`
    : `the folder ${directory} was not touched`;
  return stored ? `${folder}; its copy in the bucket goes with the garbage` : folder;
}
