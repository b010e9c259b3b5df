import { interval, type PairedComparison, tableLines } from "@duchenne/evaluation";
import { describeMachine } from "../bench/machine.ts";
import type { LabelShareReport } from "./few-labels.ts";
import type { AdversaryReport, EpochFigures } from "./identity-adversary.ts";
import { SETTINGS } from "./settings.ts";

/** What was measured, and how long it took. */
export interface ExperimentReport {
  readonly adversary: AdversaryReport;
  readonly fewLabels: readonly LabelShareReport[];
  readonly minutes: { readonly pretraining: number; readonly adversary: number; readonly fewLabels: number };
}

/** The figures as Markdown tables. */
export function reportToMarkdown({ adversary, fewLabels, minutes }: ExperimentReport): string {
  const { macroAuc, probes, hogAuc, curves } = adversary;
  const { goals, lambda, seeds } = SETTINGS;
  const parts = `pretraining ${minutes.pretraining.toFixed(1)}, adversary ${minutes.adversary.toFixed(1)}, few labels ${minutes.fewLabels.toFixed(1)}`;
  const learned = isReached(macroAuc.before.value, (value) => value >= goals.macroAuc);
  const lines = [
    `${describeMachine()}. Minutes: ${parts}.`,
    "",
    "### The identity adversary",
    ...tableLines(
      [`mean over seeds ${seeds.join(", ")} [95 % interval over subjects]`, "λ = 0", `λ = ${lambda}`, "change", "goal"],
      [
        [
          "macro AUC, held-out subjects",
          ...cells(macroAuc),
          isReached(macroAuc.change.lower, (lower) => lower > goals.aucChange),
        ],
        ...probes.map(({ layers, top1 }) => [
          `identity probe, ${layers} ${layers === 1 ? "layer" : "layers"}, all subjects`,
          ...cells(top1),
          layers === 1 ? isReached(top1.change.value, (value) => value <= goals.probeChange) : "",
        ]),
      ],
    ),
    "",
    `Chance of the probes: ${probes[0]!.chance.toFixed(3)}. Before comparing, λ = 0 was to reach a macro AUC of ${goals.macroAuc}: ${learned}. Gradient histograms under a logistic regression: ${hogAuc.map((auc) => auc.toFixed(3)).join(", ")}.`,
    "",
    "By epoch, mean over seeds; the ratio is that of the reversed identity loss's gradient to the AU loss's, at the backbone, and the loss is that of the identity head behind the reversal:",
    ...tableLines(
      ["epoch", "macro AUC, λ = 0", `macro AUC, λ = ${lambda}`, "ratio of the gradients", "identity loss"],
      epochRows(curves),
    ),
    "",
    "### Few labels",
    ...tableLines(
      ["labels", "from scratch", "pretrained", "change"],
      fewLabels.map(({ share, labelled, macroAuc }) => [`${100 * share} % (${labelled} frames)`, ...cells(macroAuc)]),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function epochRows(curves: readonly EpochFigures[]): string[][] {
  const mean = (epoch: number, isAdversarial: boolean, read: (figures: EpochFigures) => number | undefined) => {
    const values = curves
      .filter((figures) => figures.epoch === epoch && figures.lambda > 0 === isAdversarial)
      .flatMap((figures) => read(figures) ?? []);
    return values.length === 0 ? "" : (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3);
  };
  const epochs = [...new Set(curves.map(({ epoch }) => epoch))];
  return epochs.map((epoch) => [
    String(epoch),
    mean(epoch, false, ({ macroAuc }) => macroAuc),
    mean(epoch, true, ({ macroAuc }) => macroAuc),
    mean(epoch, true, ({ gradientRatio }) => gradientRatio),
    mean(epoch, true, ({ identityLoss }) => identityLoss),
  ]);
}

function cells({ before, after, change }: PairedComparison): string[] {
  return [before, after, change].map(interval);
}

function isReached(value: number | undefined, test: (value: number) => boolean): string {
  if (value === undefined) return "undefined";
  return test(value) ? "reached" : "not reached";
}
