import { z } from "zod";
import type { Optimization } from "./recipes/optimization.ts";

const metricsSchema = z.record(z.string(), z.number());

/** What the held-out part says after an epoch. */
export interface Validation {
  /** By name, such as "validation/macroAuc". */
  readonly metrics: Readonly<Record<string, number>>;
  /** Decides on the best epoch: larger is better; undefined where the held-out part cannot tell. */
  readonly figure: number | undefined;
}

const validatedSchema = z.object({ epoch: z.int(), figure: z.number().optional(), metrics: metricsSchema });

/** How far a training is. */
export const progressSchema = z.object({
  /** Steps done. */
  step: z.int(),
  /** Epochs whose end was seen to; -1: not even the start. */
  epochsClosed: z.int(),
  /** The validated epoch with the best figure so far, and the last one. */
  best: validatedSchema.optional(),
  last: validatedSchema.optional(),
  /** Sums over the steps of the running epoch, by name, and over how many: gradients are not measured in each. */
  epochSums: z.record(z.string(), z.object({ sum: z.number(), count: z.int() })),
});
/** How far a training is. */
export type Progress = Readonly<z.output<typeof progressSchema>>;

/** Before the first step. */
export const NO_PROGRESS: Progress = { step: 0, epochsClosed: -1, epochSums: {} };

/** After one more step. @param measured in it, by name */
export function afterStep(progress: Progress, measured: Readonly<Record<string, number>>): Progress {
  const { step, epochSums } = progress;
  const sums = Object.entries(measured).map(([name, value]) => {
    const { sum, count } = epochSums[name] ?? { sum: 0, count: 0 };
    return [name, { sum: sum + value, count: count + 1 }];
  });
  return { ...progress, step: step + 1, epochSums: { ...epochSums, ...Object.fromEntries(sums) } };
}

/** The means over the steps of the running epoch in which each was measured, as "epoch/NAME". */
export function epochMeans({ epochSums }: Progress): Record<string, number> {
  return Object.fromEntries(Object.entries(epochSums).map(([name, { sum, count }]) => [`epoch/${name}`, sum / count]));
}

/** After the end of an epoch. @param validation absent when nothing was measured */
export function afterEpoch(progress: Progress, epoch: number, validation: Validation | undefined): Progress {
  const closed = { ...progress, epochsClosed: epoch, epochSums: {} };
  if (validation === undefined) return closed;
  const last = { epoch, ...validation };
  const isBest = progress.best === undefined || worth(validation) > worth(progress.best);
  return { ...closed, last, best: isBest ? last : progress.best };
}

/** True when so many epochs brought no better figure that the training is to stop. */
export function isOutOfPatience({ best, last }: Progress, { patience }: Pick<Optimization, "patience">): boolean {
  return patience > 0 && best !== undefined && last !== undefined && last.epoch - best.epoch >= patience;
}

function worth({ figure }: { readonly figure?: number | undefined }): number {
  return figure ?? Number.NEGATIVE_INFINITY;
}
