import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { ModelPrecision } from "@duchenne/proto";
import { ErrorInfoSchema } from "@duchenne/proto/rpc";
import { Command } from "commander";
import { describeError } from "../describe-error.ts";
import { serverOption, withClient } from "../server-option.ts";
import { exportModelCommand } from "./export-model.ts";
import { importModelCommand } from "./import-model.ts";
import { quantizeModelCommand } from "./quantize-model.ts";

/** The alias that answers clients who name no model. */
const DEFAULT_ALIAS = "models/default@live";

/** `duchenne models`: list, versions, promote, history, delete-alias, delete, import, export, quantize. */
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
    .option("--alias <name>", "the alias; that of a version that is no detector has to be named", DEFAULT_ALIAS)
    .addOption(serverOption());
  promote.action((version: string, { alias }: { alias: string }) =>
    withClient(promote, async (client) => {
      const moved = await client.models.setAlias({ name: alias, version }).catch((error: unknown) => {
        throw promote.getOptionValueSource("alias") === "default" ? withAliasOption(error, version) : error;
      });
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
    .argument("[alias]", "the alias", DEFAULT_ALIAS)
    .addOption(serverOption());
  history.action((parent: string) =>
    withClient(history, async (client) => {
      for (const { time, version } of (await client.models.listAliasMoves({ parent })).aliasMoves) {
        process.stdout.write(`${timeOf(time)}  ${version || "deleted"}\n`);
      }
    }),
  );

  const removeAlias = models
    .command("delete-alias")
    .description("make an alias point at nothing; without models/default@live, the built-in model answers by default")
    .argument("<alias>", 'such as "models/demo@canary"')
    .addOption(serverOption());
  removeAlias.action((name: string) =>
    withClient(removeAlias, async (client) => {
      await client.models.deleteAlias({ name });
      process.stdout.write(`deleted ${name}\n`);
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

/** A refusal of what the default alias cannot point at, with the option that names another. */
function withAliasOption(error: unknown, version: string): unknown {
  if (!(error instanceof ConnectError)) return error;
  if (error.findDetails(ErrorInfoSchema)[0]?.reason !== "NOT_A_DETECTOR") return error;
  const [model] = version.split("/versions/");
  if (model === "models/default") return error;
  return new Error(`${describeError(error)}\n  Name the alias: --alias ${model}@live`);
}

const timeOf = (time: Timestamp | undefined): string =>
  time === undefined
    ? ""
    : timestampDate(time)
        .toISOString()
        .replace(/\.\d+Z$/, "Z");
