import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { serverOption, withClient } from "../server-option.ts";
import { followJob } from "./follow-job.ts";

interface SynthesizeOptions {
  readonly seed: bigint;
  readonly subjects: number;
  readonly frames: number;
  readonly size: number;
  readonly shortcut: number;
}

/** `duchenne datasets`: list, register, synthesize. */
export function datasetsCommand(): Command {
  const datasets = new Command("datasets").description("list, register and draw data sets");

  const list = datasets.command("list").description("the registered data sets").addOption(serverOption());
  list.action(() =>
    withClient(list, async (client) => {
      for (const each of (await client.datasets.listDatasets({})).datasets) {
        const units = each.actionUnits.map((unit, i) => `AU${unit} ${(100 * each.prevalence[i]!).toFixed(0)} %`);
        process.stdout.write(`${each.name}  ${each.subjects} subjects, ${each.frames} frames  ${units.join("  ")}\n`);
      }
    }),
  );

  const register = datasets
    .command("register")
    .description("register a folder with dataset.json and manifest.jsonl")
    .argument("<id>")
    .argument("<folder>", "below a folder that the server may read")
    .option("--check", "only check the manifest", false)
    .addOption(serverOption());
  register.action((datasetId: string, directory: string, { check }: { check: boolean }) =>
    withClient(register, async (client) => {
      const dataset = await client.datasets.registerDataset({ datasetId, directory, validateOnly: check });
      process.stdout.write(`datasets/${datasetId}: ${dataset.subjects} subjects, ${dataset.frames} frames\n`);
    }),
  );

  const synthesize = datasets
    .command("synthesize")
    .description("draw a SynthFACS data set")
    .argument("<id>")
    .option("--seed <n>", "seed", BigInt, 1n)
    .option("--subjects <n>", "subjects", Number, 12)
    .option("--frames <n>", "frames a subject", Number, 40)
    .option("--size <pixels>", "side of the images", Number, 96)
    .option("--shortcut <0..1>", "how far base rates depend on the subject", Number, 0)
    .addOption(serverOption());
  synthesize.action((datasetId: string, { seed, subjects, frames, size, shortcut }: SynthesizeOptions) =>
    withClient(synthesize, async (client) => {
      const job = await client.datasets.synthesizeDataset({
        requestId: randomUUID(),
        datasetId,
        seed,
        subjects,
        framesPerSubject: frames,
        imageSize: size,
        identityShortcut: shortcut,
      });
      const { result } = await followJob(client, job.name, "drawing");
      process.stdout.write(`${(result as { dataset: string }).dataset}\n`);
    }),
  );
  return datasets;
}
