import { LONGEST_LEASE_MS } from "@duchenne/store";
import { z } from "zod";

/** Thrown when a process was configured wrongly; `violations` lists every problem, not just the first. */
export class ConfigurationError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_CONFIGURATION";
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  constructor(violations: readonly { readonly field: string; readonly description: string }[]) {
    super(["The configuration has problems:", ...violations.map((v) => `  ${v.field}: ${v.description}`)].join("\n"));
    this.name = "ConfigurationError";
    this.violations = violations;
  }
}

/** Thrown when the caller asks what can be configured; the message is the answer. */
export class HelpRequested extends Error {
  constructor(schema: z.ZodObject) {
    super(`Options, each with its environment variable; options go first:\n${configurationHelp(schema)}`);
    this.name = "HelpRequested";
  }
}

/** Where a configuration comes from. Arguments go before the environment. */
export interface ConfigurationSource {
  /** Arguments after the program's name, such as ["--grpc-port", "0", "--data=/srv/duchenne"]. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads a flat configuration: the field `grpcPort` comes from `--grpc-port` or `DUCHENNE_GRPC_PORT`. Texts are given
 * to the schema as they are, so its fields coerce.
 *
 * @throws {ConfigurationError} with every unknown argument and every bad value
 * @throws {HelpRequested} when the arguments hold "--help"
 */
export function parseConfiguration<S extends z.ZodObject>(
  schema: S,
  { args, env }: ConfigurationSource,
): Readonly<z.output<S>> {
  if (args.includes("--help")) throw new HelpRequested(schema);
  const violations: { field: string; description: string }[] = [];
  const fields = Object.keys(schema.shape);
  const raw: Record<string, string> = {};
  for (const field of fields) {
    const value = env[environmentName(field)];
    if (value !== undefined && value !== "") raw[field] = value;
  }
  const byFlag = new Map(fields.map((field) => [flagName(field), field]));
  for (let i = 0; i < args.length; i++) {
    const [flag = "", inline] = splitAtEquals(args[i]!);
    const field = byFlag.get(flag);
    const value = inline ?? args[++i];
    if (field === undefined) {
      violations.push({
        field: flag,
        description: `Unknown argument; expected one of ${[...byFlag.keys()].join(", ")}`,
      });
    } else if (value === undefined) {
      violations.push({ field: flag, description: "Expected a value, got none" });
    } else {
      raw[field] = value;
    }
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const field = String(issue.path[0] ?? "");
      violations.push({ field: `${flagName(field)} (${environmentName(field)})`, description: issue.message });
    }
  }
  if (!parsed.success || violations.length > 0) throw new ConfigurationError(violations);
  return parsed.data;
}

/** What a process can be configured by, for people: flag, environment variable, default and meaning. */
function configurationHelp(schema: z.ZodObject): string {
  const fields = Object.entries(schema.shape) as [string, z.ZodType][];
  return fields
    .map(([field, type]) => {
      const { data, success } = type.safeParse(undefined);
      const described =
        type.description === undefined && type instanceof z.ZodDefault ? (type.unwrap() as z.ZodType) : type;
      const fallback = success && data !== undefined ? ` (default: ${JSON.stringify(data)})` : "";
      return `  ${flagName(field)}, ${environmentName(field)}\n      ${described.description ?? ""}${fallback}`;
    })
    .join("\n");
}

function splitAtEquals(arg: string): [string, string | undefined] {
  const at = arg.indexOf("=");
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

const words = (field: string): string[] => field.split(/(?=[A-Z])/);
const flagName = (field: string): string => `--${words(field).join("-").toLowerCase()}`;
const environmentName = (field: string): string => `DUCHENNE_${words(field).join("_").toUpperCase()}`;

function resourcesFrom(text: string): Readonly<Record<string, number>> {
  const pairs = text.split(",").filter((pair) => pair !== "");
  return Object.fromEntries(pairs.map((pair) => pair.split("=")).map(([name, amount]) => [name, Number(amount)]));
}

/** Comma-separated origins as browsers name them, or "*". */
const origins = z
  .string()
  .transform((text) => text.split(",").filter((origin) => origin !== ""))
  .refine((all) => all.every(isOrigin), {
    error: 'Expected "*", or origins without a path and with commas between them, such as "https://app.example:8443"',
  });

function isOrigin(text: string): boolean {
  return text === "*" || (/^https?:/.test(text) && URL.parse(text)?.origin === text);
}

const port = z.coerce.number().int().min(0).max(65_535);
/** "true", "1", "false" or "0". */
export const onOff = z.enum(["true", "false", "1", "0"]).transform((value) => value === "true" || value === "1");

/** What every process of the product is configured by; port 0 takes a free one. */
export const processConfigShape = {
  host: z.string().min(1).default("127.0.0.1").describe("The address to bind."),
  grpcPort: port.describe("The gRPC port."),
  connectPort: port.describe("The port of Connect, gRPC-Web and JSON."),
  corsOrigins: origins
    .default([])
    .describe(
      'Origins of web pages that may call the Connect port, such as "https://app.example,http://localhost:5173", or "*".',
    ),
  data: z.string().min(1).default("./duchenne-data").describe("The folder of the database, blobs and data sets."),
  database: z
    .string()
    .optional()
    .describe('A PostgreSQL database, "postgres://user:password@host:port/database"; else SQLite in the data folder.'),
  objects: z
    .string()
    .optional()
    .describe(
      'A bucket behind an S3 API, "s3://bucket/prefix" (with "?endpoint=http://host:port" if it is not AWS\'s); ' +
        "credentials come from where the AWS SDK looks for them. Else files in the data folder.",
    ),
  datasetCacheBytes: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 50)
    .default(200 * 2 ** 30)
    .describe(
      "How much copies of data sets from the bucket may take of this machine's disk, in bytes; those that are in use stay.",
    ),
  resources: z
    .string()
    .regex(/^([a-z][a-z0-9_]{0,31}=[0-9]{1,9}(,|$))*$/, 'Expected amounts such as "gpu=1,memory_gib=64"')
    .transform(resourcesFrom)
    .default({})
    .describe('What jobs may take of this machine, such as "gpu=1,memory_gib=64"; 0 is as good as not named.'),
  otlpEndpoint: z.url().optional().describe('The collector\'s OTLP/HTTP base, such as "http://127.0.0.1:4318".'),
  logLevel: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("How much is logged, to standard error."),
  json: onOff.default(false).describe("Print the ready line as JSON."),
  maxRequestBytes: z.coerce
    .number()
    .int()
    .min(1024)
    .max(256 * 2 ** 20)
    .default(16 * 2 ** 20)
    .describe("The largest request message, in bytes."),
  maxImportBytes: z.coerce
    .number()
    .int()
    .min(2 ** 10)
    .max(2 ** 40)
    .default(8 * 2 ** 30)
    .describe("The largest file of weights that can be imported, in bytes."),
  maxStreamsPerPeer: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(128)
    .describe("Streaming calls in flight from one address."),
  leaseMs: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(LONGEST_LEASE_MS)
    .default(30_000)
    .describe(
      "How long the jobs of a process stay its own without a sign of it, in milliseconds. It gives three in that time.",
    ),
  stallMs: z.coerce
    .number()
    .int()
    .min(10_000)
    .max(7 * 24 * 3_600_000)
    .default(30 * 60_000)
    .describe(
      "How long a job's attempt may give no sign of life before it is ended and tried again, in milliseconds. A training " +
        "gives none during a step.",
    ),
  shutdownGraceMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(10_000)
    .describe("How long running calls and jobs may take to end when the process is told to stop, in milliseconds."),
};
/** What every process of the product is configured by. */
export type ProcessConfig = z.output<z.ZodObject<typeof processConfigShape>>;

/** What processes that start jobs are configured by, beside that. */
export const jobConfigShape = {
  maxAttempts: z.coerce.number().int().min(1).max(100).default(3).describe("Attempts a job has before it fails."),
};
