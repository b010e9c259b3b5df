import { importModel } from "@duchenne/client";
import { DatasetProtocol, type LoadReport } from "@duchenne/proto";
import { Command, Option } from "commander";
import { serverOption, withClient } from "../server-option.ts";
import { PROTOCOLS_BY_NAME } from "../terminal/dataset-report.ts";

interface ImportCommandOptions {
  readonly model: string;
  readonly actionUnits?: number[];
  readonly protocol?: keyof typeof PROTOCOLS;
  readonly expressions?: string[];
  readonly subjects?: string[];
  readonly displayName: string;
  readonly boxConvention: string;
  readonly licenseNote: string;
  readonly heads: number;
  readonly decoderHeads: number;
  readonly imageSize: number;
  readonly keepOptimizer: boolean;
}

/** Those whose models have outputs. */
const { images: _, ...PROTOCOLS } = PROTOCOLS_BY_NAME;

const names = (text: string): string[] => text.split(",").map((name) => name.trim());
const numbers = (text: string): number[] => names(text).map(Number);

/** `duchenne models import`: a checkpoint becomes a version. */
export function importModelCommand(): Command {
  const command = new Command("import")
    .description("make a version from a PyTorch checkpoint (.pth) or a safetensors file; nothing in it is run")
    .argument("<file>")
    .requiredOption("--model <name>", 'the model that gets a version, such as "models/published"')
    .option("--action-units <numbers>", "FACS numbers in the order of the head's outputs, such as 1,2,4", numbers)
    .addOption(
      new Option("--protocol <name>", "the outputs of a model of a published data set").choices(Object.keys(PROTOCOLS)),
    )
    .option("--expressions <names>", "names in the order of the head's outputs, of an expression classifier", names)
    .option("--subjects <names>", "names in the order of the identity head's outputs", names)
    .option("--display-name <text>", "what the model is, for its card", "")
    .option("--box-convention <name>", "how faces were cut for its training; default: the published crop", "")
    .option("--license-note <text>", "what is known about the licence, for the model's card", "")
    .option("--heads <n>", "attention heads, where the encoder is none of the known ones", Number, 0)
    .option("--decoder-heads <n>", "the same of a masked autoencoder's decoder", Number, 0)
    .option("--image-size <pixels>", "side of the input; position embeddings are interpolated", Number, 0)
    .option("--keep-optimizer", "also keep the state of the training's optimizer", false)
    .addOption(serverOption());
  return command.action((file: string, { protocol, ...options }: ImportCommandOptions) =>
    withClient(command, async (client) => {
      const { modelVersion, report } = await importModel(client, file, {
        model: options.model,
        actionUnits: options.actionUnits ?? [],
        protocol: protocol === undefined ? DatasetProtocol.UNSPECIFIED : PROTOCOLS[protocol],
        expressions: options.expressions ?? [],
        subjects: options.subjects ?? [],
        displayName: options.displayName,
        boxConvention: options.boxConvention,
        licenseNote: options.licenseNote,
        heads: options.heads,
        decoderHeads: options.decoderHeads,
        imageSize: options.imageSize,
        keepOptimizer: options.keepOptimizer,
      });
      if (report !== undefined) process.stderr.write(reportLines(report));
      process.stdout.write(`${modelVersion?.name}\n`);
    }),
  );
}

function reportLines({ missing, unexpected, reshaped, ignored, notes }: LoadReport): string {
  const shape = (lengths: readonly number[]) => `[${lengths.join(", ")}]`;
  return [
    ...missing.map((name) => `missing     ${name}`),
    ...unexpected.map((name) => `unexpected  ${name}`),
    ...reshaped.map(({ name, from, to }) => `reshaped    ${name}: ${shape(from)} to ${shape(to)}`),
    ...ignored.map(({ name, reason }) => `ignored     ${name}: ${reason}`),
    ...notes,
  ]
    .map((line) => `${line}\n`)
    .join("");
}
