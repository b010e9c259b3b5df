import {
  type Dataset,
  drawFolds,
  holdOutValidation,
  splitByFold,
  splitByPartition,
  splitBySubject,
} from "@duchenne/data";
import { z } from "zod";
import type { Violation } from "./recipe-error.ts";

/** What is trained on, validated on and tested on; no subject is in two parts. */
export const splitSchema = z
  .object({
    /** The fold that is the test part, from 1. */
    fold: z.int().min(1).optional(),
    /** So many folds are drawn; absent: the data set's own. */
    folds: z.int().min(2).max(1000).optional(),
    /** Seed of the draw of folds; absent: that of the optimization. */
    foldSeed: z.int().min(0).optional(),
    /** Share of the subjects that is held out for the test; absent, and without a fold: the official test part. */
    testFraction: z.number().gt(0).lt(1).optional(),
    /** Share of the remaining subjects that is held out for validation; 0: the test part is validated on, as published. */
    validationFraction: z.number().min(0).lt(1),
  })
  .refine(({ fold, testFraction }) => fold === undefined || testFraction === undefined, {
    path: ["testFraction"],
    message: "Expected a fold or a test fraction, got both",
  })
  .refine(({ fold, folds }) => fold !== undefined || folds === undefined, {
    path: ["fold"],
    message: "Expected the number of the test fold beside the number of folds, got none",
  })
  .refine(({ folds, foldSeed }) => folds !== undefined || foldSeed === undefined, {
    path: ["folds"],
    message: "Expected the number of folds to draw beside the seed of the draw, got none",
  });
/** What is trained on, validated on and tested on. */
export type SplitRecipe = Readonly<z.output<typeof splitSchema>>;

/** Sample indices of each part. */
export interface Parts {
  readonly train: Uint32Array;
  /** Decides on the best epoch and the thresholds. Without a validation part of its own it is the test part. */
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

/** What a split's fields default to: the official test part where there is one, else a quarter of the subjects. */
export function splitDefaults(
  value: { readonly fold?: number | undefined } | undefined,
  { samples }: Pick<Dataset, "samples">,
  validationFraction: number,
): object {
  const isTold = value?.fold !== undefined || samples[0]?.partition !== undefined;
  return { ...(!isTold && { testFraction: 0.25 }), validationFraction };
}

/** Cuts a data set. @throws {SplitError} when it does not allow the split */
export function planParts(dataset: Dataset, split: SplitRecipe, seed: number): Parts {
  const { fold, folds: count, foldSeed = seed, testFraction, validationFraction } = split;
  const folds = count === undefined ? dataset.folds : drawFolds(dataset, { folds: count, seed: foldSeed });
  const held =
    fold !== undefined
      ? splitByFold(dataset, { fold, folds })
      : testFraction !== undefined
        ? splitBySubject(dataset, { testFraction, seed })
        : splitByPartition(dataset);
  if (validationFraction === 0) return { ...held, validation: held.test };
  return holdOutValidation(dataset, held, { validationFraction, seed });
}

/** Leaves out of every part what is not to be used. */
export function partsOf(parts: Parts, isUsed: (sample: number) => boolean): Parts {
  const { train, validation, test } = parts;
  return { train: train.filter(isUsed), validation: validation.filter(isUsed), test: test.filter(isUsed) };
}

/** The subjects of some samples, by name; none in a data set without subjects. */
export function subjectNames(dataset: Pick<Dataset, "samples">, samples: Uint32Array): string[] {
  const names = new Set(Array.from(samples, (i) => dataset.samples[i]!.subject));
  names.delete("");
  return [...names].sort();
}

/** True when a split tests on the data set's official part. */
export function isOfficial({ fold, testFraction }: Pick<SplitRecipe, "fold" | "testFraction">): boolean {
  return fold === undefined && testFraction === undefined;
}

/** Action units that the training part shows only one class of: nothing can be learned about them. */
export function oneClassViolations(
  dataset: Pick<Dataset, "samples" | "actionUnits">,
  train: Uint32Array,
  unknownLabels: "masked" | "negative",
): Violation[] {
  return dataset.actionUnits.flatMap((actionUnit, unit) => {
    const labels = new Set(
      Array.from(train, (i) => {
        const label = dataset.samples[i]!.occurrence[unit]!;
        return label === -1 && unknownLabels === "negative" ? 0 : label;
      }),
    );
    if (labels.has(1) && labels.has(0)) return [];
    const got = labels.has(1) ? "some with" : labels.has(0) ? "some without" : "unknown labels";
    const description = `Expected frames with and without AU${actionUnit} in the training part, got only ${got}`;
    return [{ field: "dataset", description }];
  });
}
