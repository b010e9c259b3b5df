import { actionUnitName } from "@duchenne/data";
import { comparePaired, interval, macroAucOf, tableLines } from "@duchenne/evaluation";
import type { ScoredFrames } from "@duchenne/training";
import { describeMachine } from "../../bench/machine.ts";
import type { RealPhotographs } from "./real-photographs.ts";
import type { TransferSettings } from "./settings.ts";
import { LEARNERS, type Learner, type TransferRun } from "./transfer.ts";

/** The figures as Markdown tables. */
export function reportToMarkdown(run: TransferRun, real: RealPhotographs, settings: TransferSettings): string {
  const { encoder, pretraining, fineTune, bootstrap } = settings;
  const lines = [
    `${describeMachine()}; ${run.minutes.toFixed(0)} minutes in all. ViT-${encoder.variant} at ${encoder.imageSize} pixels, patches of ${encoder.patchSize}, pretrained as a masked autoencoder on drawn faces for ${pretraining.epochs} epochs; ${run.trainFrames} frames an epoch, ${fineTune.epochs} epochs.`,
    `${real.dataset.samples.length} photographs are scored; no face is found on ${real.withoutFace.join(", ") || "none"}. Warped: ${run.warped.map((files, half) => `${files.join(", ")} (${run.warpedFrames[half]} frames)`).join(" and ")}.`,
    `Intervals: 95 %, paired bootstrap over photographs, ${bootstrap.resamples} resamples; those that show one class only are left out, which makes them too narrow for so few photographs.`,
  ];
  for (const learner of LEARNERS) lines.push("", `**${titleOf(learner)}**`, ...learnerLines(run, learner, bootstrap));
  return `${lines.join("\n")}\n`;
}

function titleOf(learner: Learner): string {
  return learner === "transformer" ? "Vision transformer" : "Gradient histograms under a logistic regression";
}

function learnerLines(
  { scores }: TransferRun,
  learner: Learner,
  bootstrap: TransferSettings["bootstrap"],
): readonly string[] {
  const [rendered, portraits] = (["rendered", "rendered and portraits"] as const).map(
    (diet) => scores.find((each) => each.learner === learner && each.diet === diet)!,
  );
  const compare = (before: ScoredFrames, after: ScoredFrames) => {
    const run = { subjects: before.subjects, before: macroAucOf(before), after: macroAucOf(after) };
    const { before: from, after: to, change } = comparePaired([run], bootstrap);
    return [from, to, change].map(interval);
  };
  const rows = rendered!.scored.actionUnits.flatMap((actionUnit, unit) => {
    const one = onlyUnit(rendered!.scored, unit);
    const [present, absent] = [1, 0].map((label) => one.occurrence.filter((each) => each === label).length);
    if (present === 0 || absent === 0) return [];
    const name = `AU${actionUnit} ${actionUnitName(actionUnit)}`;
    return [[name, `${present} / ${absent}`, ...compare(one, onlyUnit(portraits!.scored, unit))]];
  });
  rows.push(["mean of these", "", ...compare(rendered!.scored, portraits!.scored)]);
  const drawn = ({ drawnAuc }: { readonly drawnAuc: readonly number[] }) =>
    drawnAuc.map((auc) => auc.toFixed(3)).join(", ");
  rows.push(["drawn people, held out, all action units (by model)", "", drawn(rendered!), drawn(portraits!), ""]);
  return tableLines(["AUC", "present / absent", "rendered", "rendered and portraits", "change"], rows);
}

function onlyUnit({ actionUnits, probabilities, occurrence, subjects }: ScoredFrames, unit: number): ScoredFrames {
  const units = actionUnits.length;
  const column = <T extends Float32Array | Int8Array>(values: T) => values.filter((_, i) => i % units === unit) as T;
  return {
    actionUnits: [actionUnits[unit]!],
    probabilities: column(probabilities),
    occurrence: column(occurrence),
    subjects,
  };
}
