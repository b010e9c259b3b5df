import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { ModelPrecision } from "@duchenne/proto";
import { Command } from "commander";
import { serverOption, withClient } from "../server-option.ts";
import { exportModelCommand } from "./export-model.ts";
import { importModelCommand } from "./import-model.ts";
import { quantizeModelCommand } from "./quantize-model.ts";

/** `duchenne models`: list, versions, promote, history, delete, import, export, quantize. */
export function modelsCommand(): Command {
  const models = new Command("models").description("list models, promote versions, bring weights in and out");

  const list = models
    .command("list")
    .description("models with their newest version and aliases")
    .addOption(serverOption());
  list.action(() =>
    withClient(list, async (client) => {
      for (const { name, latestVersion, aliases } of (await client.models.listModels({})).models) {
        const moved = aliases.map((alias) => `${alias.name.split("@")[1]} -> ${alias.version}`);
        process.stdout.write(`${name}  ${[latestVersion || "no versions", ...moved].join("  ")}\n`);
      }
    }),
  );

  const promote = models
    .command("promote")
    .description("point an alias at a version; live streams move to it")
    .argument("<version>", 'such as "models/demo/versions/1"')
    .option("--alias <name>", "the alias", "models/default@live")
    .addOption(serverOption());
  promote.action((version: string, { alias }: { alias: string }) =>
    withClient(promote, async (client) => {
      const moved = await client.models.setAlias({ name: alias, version });
      process.stdout.write(`${moved.name} -> ${moved.version}\n`);
    }),
  );

  const versions = models
    .command("versions")
    .description("a model's newest versions, with the digest of what they hold")
    .argument("<model>", 'such as "models/demo"')
    .addOption(serverOption());
  versions.action((parent: string) =>
    withClient(versions, async (client) => {
      for (const { name, createTime, digest, kind, precision } of (await client.models.listModelVersions({ parent }))
        .modelVersions) {
        const what = precision === ModelPrecision.INT8 ? `${kind} int8` : kind;
        process.stdout.write(`${timeOf(createTime)}  ${name}  ${what}  sha256:${digest}\n`);
      }
    }),
  );

  const history = models
    .command("history")
    .description("where an alias pointed, newest first")
    .argument("[alias]", "the alias", "models/default@live")
    .addOption(serverOption());
  history.action((parent: string) =>
    withClient(history, async (client) => {
      for (const { time, version } of (await client.models.listAliasMoves({ parent })).aliasMoves) {
        process.stdout.write(`${timeOf(time)}  ${version}\n`);
      }
    }),
  );

  const remove = models
    .command("delete")
    .description("delete a version that no alias and no unfinished job holds")
    .argument("<version>", 'such as "models/demo/versions/1"')
    .addOption(serverOption());
  remove.action((name: string) =>
    withClient(remove, async (client) => {
      await client.models.deleteModelVersion({ name });
      process.stdout.write(`deleted ${name}\n`);
    }),
  );
  models.addCommand(importModelCommand());
  models.addCommand(exportModelCommand());
  models.addCommand(quantizeModelCommand());
  return models;
}

const timeOf = (time: Timestamp | undefined): string =>
  time === undefined
    ? ""
    : timestampDate(time)
        .toISOString()
        .replace(/\.\d+Z$/, "Z");
