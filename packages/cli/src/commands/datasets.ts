import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { datasetProblems, registerDataset } from "@duchenne/client";
import {
  ACTION_UNIT_PROTOCOLS,
  convertLabels,
  PUBLISHED_IMAGE_PATHS,
  pngFromImage,
  previewSheets,
} from "@duchenne/data";
import { Command, Option } from "commander";
import { addJobOptions, jobOptionsFrom } from "../job-options.ts";
import { serverOption, withClient } from "../server-option.ts";
import { datasetReport, LICENSE_HELP, PROTOCOLS_BY_NAME } from "../terminal/dataset-report.ts";
import { curateDatasetCommand } from "./curate-dataset.ts";
import { deleteDatasetCommand } from "./delete-dataset.ts";
import { followJob } from "./follow-job.ts";
import { previewPortraits, synthesizeFromPortraits } from "./portraits.ts";
import { sequenceCommand } from "./sequence-command.ts";
import { uploadDatasetCommand } from "./upload-dataset.ts";

interface SynthesizeOptions {
  readonly seed: bigint;
  readonly subjects?: number;
  readonly protocol?: keyof typeof ACTION_UNIT_PROTOCOLS;
  readonly frames: number;
  readonly size: number;
  readonly shortcut: number;
  readonly photo?: string;
}

interface PreviewCommandOptions extends Omit<SynthesizeOptions, "seed" | "subjects"> {
  readonly seed: number;
  readonly subjects: number;
}

interface RegisterOptions {
  readonly protocol?: keyof typeof PROTOCOLS_BY_NAME;
  readonly labels: readonly string[];
  readonly license: string;
  readonly check: boolean;
  readonly problems?: string;
}

interface ConvertOptions {
  readonly image?: string;
}

/** `duchenne datasets`: list, show, register, upload, delete, curate, convert, synthesize, preview, sequence. */
export function datasetsCommand(): Command {
  const datasets = new Command("datasets").description(
    "list, show, register, upload, delete, curate, convert and draw data sets",
  );

  const list = datasets.command("list").description("the registered data sets").addOption(serverOption());
  list.action(() =>
    withClient(list, async (client) => {
      for (const each of (await client.datasets.listDatasets({})).datasets) {
        const units = each.actionUnits.map((unit, i) => `AU${unit} ${(100 * each.prevalence[i]!).toFixed(0)} %`);
        process.stdout.write(`${each.name}  ${each.subjects} subjects, ${each.frames} frames  ${units.join("  ")}\n`);
      }
    }),
  );

  const show = datasets
    .command("show")
    .description("what a data set holds: labels, subjects, folds, parts")
    .argument("<name>", 'such as "datasets/faces"')
    .addOption(serverOption());
  show.action((name: string) =>
    withClient(show, async (client) => {
      process.stdout.write(datasetReport(await client.datasets.getDataset({ name })));
    }),
  );

  const register = datasets
    .command("register")
    .description("register a folder with a manifest, of images alone, or of a published data set")
    .argument("<id>")
    .argument("<folder>", "below a folder that the server may read")
    .addOption(
      new Option("--protocol <name>", "read it as published instead of by its manifest").choices(
        Object.keys(PROTOCOLS_BY_NAME),
      ),
    )
    .option(
      "--labels <file>",
      "label file of bp4d, bp4d+, disfa or raf-db, below the folder or absolute; may be repeated",
      (file: string, files: readonly string[]) => [...files, file],
      [] as readonly string[],
    )
    .option("--license <text>", LICENSE_HELP, "")
    .option("--check", "only check the labels", false)
    .option(
      "--problems <file>",
      "only check, and write every problem into a file, one a line; exit code 1 when there are any",
    )
    .addOption(serverOption());
  register.action(
    (datasetId: string, directory: string, { protocol, labels, license, check, problems }: RegisterOptions) =>
      withClient(register, async (client) => {
        const request = {
          datasetId,
          directory,
          ...(protocol === undefined ? {} : { protocol: PROTOCOLS_BY_NAME[protocol] }),
          labelFiles: [...labels],
          license,
        };
        if (problems !== undefined) {
          const lines: string[] = [];
          for await (const { field, description } of datasetProblems(client, request)) {
            lines.push(`${field}: ${description}\n`);
          }
          await writeFile(problems, lines.join(""));
          process.stdout.write(`${lines.length} problems: ${problems}\n`);
          if (lines.length > 0) process.exitCode = 1;
          return;
        }
        const dataset = await registerDataset(client, { ...request, validateOnly: check });
        process.stdout.write(`datasets/${datasetId}: ${dataset.subjects} subjects, ${dataset.frames} frames\n`);
      }),
  );

  const names = Object.keys(ACTION_UNIT_PROTOCOLS) as (keyof typeof ACTION_UNIT_PROTOCOLS)[];
  datasets
    .command("convert")
    .description("write a manifest from the label files of BP4D, BP4D+ or DISFA, on this machine")
    .argument("<protocol>", names.join(", "))
    .argument("<labels>", "folder of the occurrence tables or intensity files")
    .argument("<images>", "root of the images; the manifest is written into it")
    .option(
      "--image <path>",
      `path of a frame below the root; published: ${Object.values(PUBLISHED_IMAGE_PATHS).join(", ")}`,
    )
    .action(async (name: string, labelDirectory: string, imageDirectory: string, { image }: ConvertOptions) => {
      const protocol = names.find((each) => each === name);
      if (protocol === undefined) throw new Error(`Expected one of ${names.join(", ")}, got "${name}"`);
      const { frames, framesWithoutImage, subjects } = await convertLabels({
        protocol,
        labelDirectory,
        imageDirectory,
        imagePath: image,
      });
      const leftOut =
        framesWithoutImage === 0 ? "" : `; ${framesWithoutImage} labelled frames without an image left out`;
      process.stdout.write(`${imageDirectory}: ${subjects} subjects, ${frames} frames${leftOut}\n`);
    });

  const synthesize = addJobOptions(datasets.command("synthesize"))
    .description("draw a SynthFACS data set of synthetic faces")
    .argument("<id>", "its name; with --photo, a folder that is made on this machine")
    .option(
      "--photo <folder>",
      "move the faces of neutral portraits instead, on this machine: a person a file or folder",
    )
    .option("--seed <n>", "seed", BigInt, 1n)
    .option(
      "--subjects <n>",
      "subjects; 12, with --protocol all that it has, with --photo as many as there are",
      Number,
    )
    .option("--frames <n>", "frames a subject", Number, 40)
    .option("--size <pixels>", "side of the images", Number, 96)
    .option("--shortcut <0..1>", "how far base rates depend on the subject", Number, 0)
    .addOption(
      new Option("--protocol <name>", "with subjects, folds, prevalence and files of a published data set").choices(
        names,
      ),
    )
    .addOption(serverOption());
  synthesize.action((datasetId: string, options: SynthesizeOptions) => {
    const { seed, protocol, photo, frames, size, shortcut } = options;
    if (photo !== undefined) {
      if (protocol !== undefined) throw new Error("Expected --photo or --protocol, got both");
      const made = { seed: Number(seed), framesPerSubject: frames, imageSize: size, identityShortcut: shortcut };
      return synthesizeFromPortraits(photo, datasetId, made);
    }
    return withClient(synthesize, async (client) => {
      const subjects = options.subjects ?? (protocol === undefined ? 12 : 0);
      const job = await client.datasets.synthesizeDataset({
        requestId: randomUUID(),
        datasetId,
        seed,
        subjects,
        framesPerSubject: frames,
        imageSize: size,
        identityShortcut: shortcut,
        ...(protocol === undefined ? {} : { protocol: PROTOCOLS_BY_NAME[protocol] }),
        jobOptions: jobOptionsFrom(synthesize),
      });
      const { result } = await followJob(client, job.name, "drawing");
      process.stdout.write(`${(result as { dataset: string }).dataset}\n`);
    });
  });

  datasets
    .command("preview")
    .description("draw sheets of what SynthFACS draws, on this machine: action units, subjects, poses, prevalence")
    .argument("<folder>", "where the PNG files go")
    .option("--photo <folder>", "what becomes of neutral portraits instead, action unit by action unit")
    .option("--seed <n>", "seed", Number, 1)
    .option("--subjects <n>", "subjects", Number, 24)
    .option("--frames <n>", "frames a subject, of the prevalence plot", Number, 100)
    .option("--size <pixels>", "side of the faces", Number, 112)
    .option("--shortcut <0..1>", "how far base rates depend on the subject", Number, 0)
    .action(async (folder: string, { seed, subjects, frames, size, shortcut, photo }: PreviewCommandOptions) => {
      if (photo !== undefined) return previewPortraits(photo, folder, size);
      await mkdir(folder, { recursive: true });
      const options = { seed, subjects, framesPerSubject: frames, size, identityShortcut: shortcut };
      for await (const [name, sheet] of previewSheets(options)) {
        const path = join(folder, `${name}.png`);
        await writeFile(path, await pngFromImage(sheet));
        process.stdout.write(`${path}\n`);
      }
    });
  for (const command of [uploadDatasetCommand(), deleteDatasetCommand(), curateDatasetCommand(), sequenceCommand()])
    datasets.addCommand(command);
  return datasets;
}
