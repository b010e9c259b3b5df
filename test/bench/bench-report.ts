import { readFile, writeFile } from "node:fs/promises";
import type { BenchCase } from "./bench-case.ts";
import type { Agreement, Steadiness } from "./check-sides.ts";
import type { Comparison } from "./compare-sides.ts";

/** How long the steps of a training waited for their images. */
export interface InputWait {
  /** Of the time of the steps, in 0..1. */
  readonly share: number;
  readonly steps: number;
  readonly imagesPerSecond: number;
}

/** All that a run found. */
export interface BenchResult {
  readonly machine: string;
  readonly versions: string;
  readonly threads: number;
  readonly command: string;
  readonly comparisons: readonly Comparison[];
  readonly agreement: Agreement;
  readonly steadiness: Steadiness;
  /** Of a CPU: what a step waits for images there. */
  readonly inputWait?: InputWait;
}

const NAMES = { micro: "micro", tiny: "ViT-Ti", small: "ViT-S", base: "ViT-B", large: "ViT-L" } as const;
const GIB = 2 ** 30;

/** What the time of a case should be at most, in PyTorch's. */
export function timeGoal({ device, task, precision, variant }: BenchCase): number {
  if (device === "cuda") return 1.1;
  if (precision === "bfloat16") return task === "fine-tune" ? 0.8 : 1;
  return task === "fine-tune" && (variant === "tiny" || variant === "micro") ? 1.05 : 1;
}
/** What the peak memory of a case should be at most, in PyTorch's. */
export const MEMORY_GOAL = 0.9;

/** A comparison as the cells of a row. */
export function cellsOf(comparison: Comparison): string[] {
  const { benchCase, ours, torch, ratio, quartiles, pairs } = comparison;
  const { task, variant, batch, precision } = benchCase;
  const perSecond = (ms: number) => ((batch / ms) * 1000).toFixed(1);
  const mark = (value: number, goal: number) => {
    if (Number.isNaN(value)) return "unknown";
    return `${value.toFixed(2)}${value <= goal ? "" : ` (goal ${goal.toFixed(2)})`}`;
  };
  return [
    task,
    NAMES[variant],
    `${batch}`,
    precision,
    ...[ours, torch].map(({ medianMs }) => medianMs.toFixed(medianMs < 100 ? 1 : 0)),
    mark(ratio, timeGoal(benchCase)),
    quartiles.map((each) => each.toFixed(2)).join(" to "),
    `${perSecond(ours.medianMs)} / ${perSecond(torch.medianMs)}`,
    [ours, torch].map(({ peakBytes }) => (peakBytes / GIB).toFixed(2)).join(" / "),
    mark(ours.peakBytes / torch.peakBytes, MEMORY_GOAL),
    `${pairs}`,
  ];
}

/** The header of those rows. */
export const COLUMNS = [
  ...["step", "model", "batch", "precision", "ours, ms", "PyTorch, ms", "time ratio"],
  ...["its quartiles", "images/s", "peak GiB", "memory ratio", "pairs"],
];

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Operations below this share of a step are summed up. */
const LEAST_SHARE = 0.02;

function profileOf({ benchCase, profile }: Comparison): string {
  const total = profile.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const shares = profile.filter(({ milliseconds }) => milliseconds / total >= LEAST_SHARE);
  const others = total - shares.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const list = shares.map(
    ({ operation, count, milliseconds }) =>
      `${operation} ${((100 * milliseconds) / total).toFixed(0)} % (${count} x ${(milliseconds / count).toFixed(1)} ms)`,
  );
  const { task, variant, batch, precision } = benchCase;
  const rest = `others ${((100 * others) / total).toFixed(0)} %`;
  return `- ${task}, ${NAMES[variant]}, batch ${batch}, ${precision}: ${[...list, rest].join(", ")}`;
}

function missesGoals({ benchCase, ours, torch, ratio }: Comparison): boolean {
  return ratio > timeGoal(benchCase) || ours.peakBytes / torch.peakBytes > MEMORY_GOAL;
}

/** The section that a run writes. */
export function markdownOf(result: BenchResult): string {
  const { agreement, steadiness, inputWait, comparisons } = result;
  const missed = comparisons.filter(missesGoals);
  return [
    `\`${result.command}\` on: ${result.machine}. ${result.versions}. Both sides were told ${result.threads} threads.`,
    "",
    row(COLUMNS),
    row(COLUMNS.map(() => "---")),
    ...comparisons.map((comparison) => row(cellsOf(comparison))),
    "",
    `${comparisons.length - missed.length} of ${comparisons.length} rows meet all their goals.`,
    "",
    ...(missed.length === 0
      ? []
      : [
          "Where the time of our step goes in the others (one traced run each; operations run side by side, so shares are of",
          "their sum):",
          "",
          ...missed.map(profileOf),
          "",
        ]),
    `- Recording a step: ${comparisons
      .filter(({ benchCase }) => benchCase.batch === comparisons[0]?.benchCase.batch)
      .map(
        ({ benchCase: { task, variant, precision }, recordMs }) =>
          `${recordMs.toFixed(0)} ms (${task}, ${NAMES[variant]}, ${precision})`,
      )
      .join(", ")}.`,
    `- Recordings in ${steadiness.steps} steps of ${NAMES[steadiness.benchCase.variant]}: ${steadiness.recordings}.`,
    `- Resident memory, garbage collected, over the second half of ${steadiness.steps} steps: ` +
      `${(steadiness.bytesPerStep / 1024).toFixed(2)} KiB a step; ${steadiness.tensorsGained} tensors gained.`,
    `- Weights after ${agreement.steps} steps of ${NAMES[agreement.benchCase.variant]} in float32 from the same start, ours ` +
      `against PyTorch's: ${agreement.relativeToChange.toExponential(1)} of the way they moved (L2), at most ` +
      `${agreement.largestDifference.toExponential(1)}; losses ${agreement.losses.map((each) => each.toFixed(6)).join(" and ")}.`,
    ...(inputWait === undefined
      ? []
      : [
          `- A fine-tune of ViT-S, batch 8, float32, on JPEGs of 224 px with the published augmentation waited for its images ` +
            `${(100 * inputWait.share).toFixed(1)} % of the time of ${inputWait.steps} steps (goal: below 3 %), at ` +
            `${inputWait.imagesPerSecond.toFixed(1)} images/s.`,
        ]),
  ].join("\n");
}

/** Replaces the section between the markers of a file. @throws {Error} when it has none */
export async function writeReport(file: string, result: BenchResult): Promise<void> {
  const text = await readFile(file, "utf8");
  const name = `npm run bench:train${result.comparisons[0]?.benchCase.device === "cuda" ? " on a GPU" : ""}`;
  const [first, last] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`];
  const [begin, end] = [text.indexOf(first), text.indexOf(last)];
  if (begin < 0 || end < begin) throw new Error(`Expected ${first} and ${last} in ${file}`);
  await writeFile(file, `${text.slice(0, begin)}${first}\n\n${markdownOf(result)}\n\n${text.slice(end)}`);
}
