import type { BenchCase } from "./bench-case.ts";
import type { ProfileAnswer, Side } from "./bench-side.ts";
import { gpuMemoryOf } from "./gpu.ts";

/** One side of a comparison. */
export interface Measured {
  /** Of all timed steps. */
  readonly medianMs: number;
  readonly fastestMs: number;
  /** Of the process, or of the GPU's memory that it holds. */
  readonly peakBytes: number;
}

/** Both sides of a case. */
export interface Comparison {
  readonly benchCase: BenchCase;
  readonly ours: Measured;
  readonly torch: Measured;
  /** The median over the pairs of our time divided by PyTorch's in the same pair: what else the machine does hits both. */
  readonly ratio: number;
  /** The first and third quartile of the same. */
  readonly quartiles: readonly [number, number];
  readonly pairs: number;
  /** What recording our step took. */
  readonly recordMs: number;
  /** Where our step spends its time. */
  readonly profile: ProfileAnswer["times"];
}

/** How long a case is measured. */
export interface Budget {
  /** Steps before anything is timed. */
  readonly warmUp: number;
  readonly minPairs: number;
  readonly maxPairs: number;
  /** For all pairs of a case, as far as `minPairs` allows. */
  readonly milliseconds: number;
}

/** Times both sides in turn, one step each a pair; who begins alternates. */
export async function compareSides(
  benchCase: BenchCase,
  sides: { readonly ours: Side; readonly torch: Side },
  budget: Budget,
): Promise<Comparison> {
  const times = { ours: [] as number[], torch: [] as number[] };
  for (const side of Object.values(sides)) await side.steps(budget.warmUp);
  const start = performance.now();
  let pairs = 0;
  while (pairs < budget.maxPairs && (pairs < budget.minPairs || performance.now() - start < budget.milliseconds)) {
    const order = pairs % 2 === 0 ? (["ours", "torch"] as const) : (["torch", "ours"] as const);
    for (const which of order) times[which].push((await sides[which].steps(1)).milliseconds[0]!);
    pairs++;
  }
  const measured = async (which: "ours" | "torch"): Promise<Measured> => ({
    medianMs: median(times[which]),
    fastestMs: Math.min(...times[which]),
    peakBytes:
      benchCase.device === "cuda" ? await gpuMemoryOf(sides[which].pid) : (await sides[which].memory()).peakBytes,
  });
  const [ours, torch] = [await measured("ours"), await measured("torch")];
  const ratios = times.ours.map((time, i) => time / times.torch[i]!);
  return {
    ...{ benchCase, ours, torch, pairs },
    ratio: median(ratios),
    quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    recordMs: sides.ours.ready.recordMilliseconds!,
    // Last: tracing itself takes memory.
    profile: (await sides.ours.profile()).times,
  };
}

/** The middle value, or the mean of the two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Below which a share of the values lies; between two of them in proportion. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}
