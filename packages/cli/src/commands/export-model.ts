import { exportModel } from "@duchenne/client";
import { ExportFormat } from "@duchenne/proto";
import { Command, Option } from "commander";
import { serverOption, withClient } from "../server-option.ts";

const FORMATS = {
  safetensors: ExportFormat.SAFETENSORS,
  onnx: ExportFormat.ONNX,
  card: ExportFormat.CARD,
  optimizer: ExportFormat.OPTIMIZER,
} as const;

/** `duchenne models export`: a file of a version. */
export function exportModelCommand(): Command {
  const command = new Command("export")
    .description("write a file of a version into a folder")
    .argument("<version>", 'such as "models/demo/versions/1" or "models/demo@live"')
    .requiredOption("--output <folder>", "made when it is not there")
    .addOption(new Option("--format <name>", "which file").choices(Object.keys(FORMATS)).default("safetensors"))
    .addOption(serverOption());
  return command.action((name: string, { output, format }: { output: string; format: keyof typeof FORMATS }) =>
    withClient(command, async (client) => {
      process.stdout.write(`${await exportModel(client, { name, format: FORMATS[format] }, output)}\n`);
    }),
  );
}
