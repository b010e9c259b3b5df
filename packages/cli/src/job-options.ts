import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { JobOptionsSchema } from "@duchenne/proto";
import { type Command, InvalidArgumentError, Option } from "commander";

/** How a job is run, as the command line says it. */
interface GivenOptions {
  readonly priority?: number;
  readonly timeLimit?: number;
  readonly after: readonly string[];
  readonly resources?: Readonly<Record<string, number>>;
}

const MS_IN = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Adds the options that say how a job is run. */
export function addJobOptions(command: Command): Command {
  return command
    .addOption(new Option("--priority <n>", "jobs of a higher one run first (default: 0)").argParser(wholeNumber))
    .addOption(new Option("--time-limit <time>", "how long it may run, such as 90m, 12h or 2d").argParser(milliseconds))
    .addOption(
      new Option("--after <job>", "a job that must succeed first; may be repeated")
        .argParser((name: string, names: readonly string[]) => [...names, name])
        .default([], "none"),
    )
    .addOption(
      new Option("--resources <amounts>", "what it takes of its machine, such as gpu=1,memory_gib=32").argParser(
        amounts,
      ),
    );
}

/** What the command line says about how a job is run. */
export function jobOptionsFrom(command: Command): MessageInitShape<typeof JobOptionsSchema> {
  const { priority = 0, timeLimit, after, resources = {} } = command.opts<GivenOptions>();
  return {
    priority,
    ...(timeLimit !== undefined && { timeLimit: durationFromMs(timeLimit) }),
    after: [...after],
    resources: { ...resources },
  };
}

function wholeNumber(text: string): number {
  if (!/^-?[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError(`Expected a whole number, got "${text}"`);
  return Number(text);
}

function milliseconds(text: string): number {
  const [, amount, unit] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd])$/.exec(text) ?? [];
  const ms = Math.round(Number(amount) * MS_IN[unit as keyof typeof MS_IN]);
  if (!(ms > 0)) throw new InvalidArgumentError(`Expected a time such as 30s, 90m, 12h or 2d, got "${text}"`);
  return ms;
}

/** Amounts such as "gpu=1,memory_gib=32". @throws {InvalidArgumentError} */
export function amounts(text: string): Readonly<Record<string, number>> {
  const pairs = text.split(",").map((pair) => /^([a-z][a-z0-9_]{0,31})=([1-9][0-9]{0,8})$/.exec(pair));
  const found = pairs.flatMap((pair) => (pair === null ? [] : [[pair[1]!, Number(pair[2])] as const]));
  if (found.length < pairs.length) {
    throw new InvalidArgumentError(`Expected amounts such as gpu=1,memory_gib=32, each at least 1, got "${text}"`);
  }
  return Object.fromEntries(found);
}
