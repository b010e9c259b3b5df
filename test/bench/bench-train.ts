// `npm run bench:train`: our training step against PyTorch's, on this machine.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import type { Precision } from "@duchenne/tensor";
import { provisionKernels } from "@duchenne/tensor/provision";
import { type CaseOptions, writeCase } from "./bench-case.ts";
import { COLUMNS, cellsOf, type InputWait, markdownOf, writeReport } from "./bench-report.ts";
import { type Side, startSide } from "./bench-side.ts";
import { checkAgreement, checkSteadiness } from "./check-sides.ts";
import { type Budget, type Comparison, compareSides } from "./compare-sides.ts";
import { describeGpus } from "./gpu.ts";
import { describeMachine } from "./machine.ts";
import { provisionTorch } from "./provision-torch.ts";

const USAGE = `npm run bench:train -- [options]
  --models micro,tiny,small,base,large  default: tiny,small,base; on a GPU base,large
  --batches 8,32                    default: 8,32; on a GPU 32,128
  --tasks fine-tune,mae             default: both
  --precisions float32,bfloat16     default: both
  --pairs N                         timed steps of each side at most; default 15, 5 at least where they take long
  --threads N                       default: all cores
  --device cpu|cuda                 default: cpu; cuda compares with torch.compile (set up with DUCHENNE_ACCELERATOR=cuda)
  --no-xla                          our step without XLA, which compiles it on a GPU
  --quick                           few pairs and steps: to see that it runs
  --python PATH                     a Python that has PyTorch, instead of installing it into the cache
  --markdown FILE                   writes the report into FILE between its markers (docs/benchmarks.md)`;

const MODELS = ["micro", "tiny", "small", "base", "large"] as const;
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const { values: flags } = parseArgs({
  options: {
    models: { type: "string" },
    batches: { type: "string" },
    tasks: { type: "string", default: "fine-tune,mae" },
    precisions: { type: "string", default: "float32,bfloat16" },
    pairs: { type: "string", default: "15" },
    threads: { type: "string", default: `${availableParallelism()}` },
    device: { type: "string", default: "cpu" },
    "no-xla": { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    python: { type: "string" },
    markdown: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (flags.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit();
}

/** A list of a flag. @throws {RangeError} for what is not among the choices */
function chosen<T extends string>(text: string, choices: readonly T[]): T[] {
  return text.split(",").map((each) => {
    const found = choices.find((choice) => choice === each);
    if (found === undefined) throw new RangeError(`Expected one of ${choices.join(", ")}, got "${each}"`);
    return found;
  });
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`Expected a number of at least 1, got "${text}"`);
  return number;
}

const [device] = chosen(flags.device, ["cpu", "cuda"]) as ["cpu" | "cuda"];
const xla = device === "cuda" && !flags["no-xla"];
const threads = positive(flags.threads);
const maxPairs = positive(flags.pairs);
const budget: Budget = flags.quick
  ? { warmUp: 1, minPairs: Math.min(3, maxPairs), maxPairs, milliseconds: 5_000 }
  : { warmUp: 2, minPairs: Math.min(5, maxPairs), maxPairs, milliseconds: 40_000 };
const timed: CaseOptions[] = chosen(flags.tasks, ["fine-tune", "mae"]).flatMap((task) =>
  chosen(flags.models ?? (device === "cpu" ? "tiny,small,base" : "base,large"), MODELS).flatMap((variant) =>
    (flags.batches ?? (device === "cpu" ? "8,32" : "32,128")).split(",").flatMap((batch) =>
      chosen<Precision>(flags.precisions, ["float32", "bfloat16"]).map((precision) => ({
        ...{ variant, task, precision, device, xla, threads, learningRate: 1e-4 },
        batch: positive(batch),
        dropPath: 0.1,
      })),
    ),
  ),
);

if (device === "cpu") await provisionKernels({ onProgress: (message) => process.stderr.write(`${message}\n`) });
const python = flags.python ?? "python3";
if (flags.python === undefined) process.env.PYTHONPATH = await provisionTorch();

const scratch = await mkdtemp(join(tmpdir(), "duchenne-bench-"));
let cases = 0;
/** Writes a case, starts both sides on it, and ends them. */
async function withSides<R>(
  options: CaseOptions,
  run: (
    folder: string,
    benchCase: Awaited<ReturnType<typeof writeCase>>,
    sides: { ours: Side; torch: Side },
  ) => Promise<R>,
): Promise<R> {
  const folder = join(scratch, `${cases++}`);
  const benchCase = await writeCase(folder, options);
  const sides: Side[] = [];
  try {
    for (const [command, ...scripts] of [
      [process.execPath, "--expose-gc", here("duchenne-step.ts")],
      [python, here("torch_step.py")],
    ] as const) {
      sides.push(await startSide(command, [...scripts, folder], threads));
    }
    const [ours, torch] = sides as [Side, Side];
    if (device === "cpu" && !ours.ready.fused) throw new Error("The fused kernels were not loaded");
    const how = `${device === "cuda" ? "torch.compile, " : ""}AdamW fused, scaled_dot_product_attention`;
    versions = `PyTorch ${torch.ready.version} (${how}), Node ${process.versions.node}`;
    return await run(folder, benchCase, { ours, torch });
  } finally {
    await Promise.all(sides.map((side) => side.end()));
    await rm(folder, { recursive: true, force: true });
  }
}
let versions = "";

async function measureInputWait(folder: string, steps: number): Promise<InputWait> {
  const args = [here("input-wait.ts"), folder, `${threads}`, `${steps}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as InputWait;
}

try {
  const machine = `${describeMachine()}${device === "cuda" ? `; ${await describeGpus()}` : ""}`;
  process.stdout.write(`${machine}; both sides told ${threads} threads\n\n${COLUMNS.join(" | ")}\n`);
  const comparisons: Comparison[] = [];
  for (const options of timed) {
    const comparison = await withSides(options, (_, benchCase, sides) => compareSides(benchCase, sides, budget));
    comparisons.push(comparison);
    process.stdout.write(`${cellsOf(comparison).join(" | ")}\n`);
  }
  const fixed = { dropPath: 0, learningRate: 1e-4 };
  const small = { task: "fine-tune", precision: "float32", device, xla, threads, ...fixed } as const;
  const same: CaseOptions = { ...small, variant: flags.quick ? "micro" : "tiny", batch: flags.quick ? 4 : 8 };
  const agreement = await withSides(same, (folder, benchCase, sides) => checkAgreement(folder, benchCase, sides, 50));
  const steadiness = await withSides({ ...small, variant: "micro", batch: 4 }, (_, benchCase, { ours }) =>
    checkSteadiness(benchCase, ours, flags.quick ? 200 : 2_000),
  );
  const inputWait =
    device === "cuda" ? undefined : await measureInputWait(join(scratch, "faces"), flags.quick ? 3 : 25);
  const options = process.argv
    .slice(2)
    .join(" ")
    .replace(/--(markdown|python)[ =]\S+ ?/g, "")
    .trim();
  const command = `npm run bench:train${options === "" ? "" : ` -- ${options}`}`;
  const found = { comparisons, agreement, steadiness, ...(inputWait && { inputWait }) };
  const result = { machine, versions, threads, command, ...found };

  process.stdout.write(`\n${markdownOf(result)}\n`);
  if (flags.markdown !== undefined) await writeReport(flags.markdown, result);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
