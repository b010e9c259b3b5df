import { availableParallelism, cpus } from "node:os";
import type { Estimate, PairedComparison } from "@duchenne/evaluation";
import type { LabelShareReport } from "./few-labels.ts";
import type { AdversaryReport } from "./identity-adversary.ts";
import { SETTINGS } from "./settings.ts";

/** What was measured, and how long it took. */
export interface ExperimentReport {
  readonly adversary: AdversaryReport;
  readonly fewLabels: readonly LabelShareReport[];
  readonly minutes: { readonly pretraining: number; readonly adversary: number; readonly fewLabels: number };
}

/** The figures as Markdown tables. */
export function reportToMarkdown({ adversary, fewLabels, minutes }: ExperimentReport): string {
  const { macroAuc, probes, hogAuc } = adversary;
  const { goals, lambda } = SETTINGS;
  const total = minutes.pretraining + minutes.adversary + minutes.fewLabels;
  const rows = [
    row(
      "macro AUC, held-out subjects",
      macroAuc,
      isReached(macroAuc.change.lower, (lower) => lower > goals.aucChange),
    ),
    ...probes.map(({ layers, top1 }) =>
      row(
        `identity probe, ${layers} ${layers === 1 ? "layer" : "layers"}, all subjects`,
        top1,
        layers === 1 ? isReached(top1.change.value, (value) => value <= goals.probeChange) : "",
      ),
    ),
  ];
  const shares = fewLabels.map(
    ({ share, labelled, macroAuc }) =>
      `| ${100 * share} % (${labelled} frames) | ${told(macroAuc.before)} | ${told(macroAuc.after)} | ${told(macroAuc.change)} |`,
  );
  return `${[
    `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.version}; ${total.toFixed(0)} minutes in all: pretraining ${minutes.pretraining.toFixed(1)}, adversary ${minutes.adversary.toFixed(1)}, few labels ${minutes.fewLabels.toFixed(1)}.`,
    "",
    "### The identity adversary",
    "",
    `| mean over seeds ${SETTINGS.seeds.join(", ")} [95 % interval over subjects] | λ = 0 | λ = ${lambda} | change | goal |`,
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
    `Chance of the probes: ${probes[0]!.chance.toFixed(3)}. Before comparing, λ = 0 was to reach a macro AUC of ${goals.macroAuc}: ${isReached(macroAuc.before.value, (value) => value >= goals.macroAuc)}. Gradient histograms under a logistic regression: ${hogAuc.map((auc) => auc.toFixed(3)).join(", ")}.`,
    "",
    "### Few labels",
    "",
    "| labels | from scratch | pretrained | change |",
    "| --- | --- | --- | --- |",
    ...shares,
  ].join("\n")}\n`;
}

function row(name: string, { before, after, change }: PairedComparison, goal: string): string {
  return `| ${name} | ${told(before)} | ${told(after)} | ${told(change)} | ${goal} |`;
}

function isReached(value: number | undefined, test: (value: number) => boolean): string {
  if (value === undefined) return "undefined";
  return test(value) ? "reached" : "not reached";
}

function told({ value, lower, upper }: Estimate): string {
  if (value === undefined) return "undefined";
  const interval = lower === undefined || upper === undefined ? "" : ` [${lower.toFixed(3)}, ${upper.toFixed(3)}]`;
  return `${value.toFixed(3)}${interval}`;
}
