import { setImmediate as turn } from "node:timers/promises";
import type { Dataset } from "@duchenne/data";
import { type FineTune, FineTuneSchema } from "@duchenne/proto";
import type { Store } from "@duchenne/store";
import { type Partially, RecipeError } from "@duchenne/training/recipes";
import { type CheckedTraining, openTraining, plannedFineTune } from "./check-training.ts";
import { fieldName, setFields } from "./training-fields.ts";

/** A training that tests on one fold, with one seed. */
export interface CheckedRun extends CheckedTraining {
  /** From 1. */
  readonly fold: number;
  readonly seed: number;
}

/** The trainings of a cross-validation: each fold in turn, with each seed. */
export interface CheckedRuns {
  readonly dataset: Dataset;
  readonly folds: number;
  /** The folds of the first seed, then those of the next. */
  readonly runs: readonly CheckedRun[];
}

/** More trainings than anybody waits for; their checks take a moment of a serving process. */
const MAX_RUNS = 100;

/**
 * Checks a fine-tune on each fold with each seed. Folds that are drawn are the same for all seeds, those of
 * `split.fold_seed`, by default the first seed.
 *
 * @throws {RecipeError} with every field violation, and the runs that have it when others do not
 * @throws {NotFoundError} @throws {BuiltInModelError}
 */
export async function checkFineTuneRuns(
  store: Store,
  message: FineTune,
  seeds: readonly number[],
): Promise<CheckedRuns> {
  const context = await openTraining(store, "fineTune", message);
  const { dataset } = context;
  const folds = message.split?.folds ?? dataset.folds?.length ?? 0;
  requireFoldsAlone(message, folds, seeds.length);
  const fields: Partially<FineTuneFields> = setFields(FineTuneSchema, message);
  const isDrawn = message.split?.folds !== undefined;
  const runs: CheckedRun[] = [];
  const problems: { readonly run: string; readonly error: RecipeError }[] = [];
  for (const seed of seeds) {
    for (let fold = 1; fold <= folds; fold++) {
      const split = { ...(isDrawn && { foldSeed: seeds[0]! }), ...fields.split, fold };
      const optimization = { ...fields.optimization, seed };
      try {
        runs.push({ fold, seed, ...plannedFineTune(context, message, { ...fields, split, optimization }) });
      } catch (error) {
        if (!(error instanceof RecipeError)) throw error;
        problems.push({ run: `fold ${fold}, seed ${seed}`, error });
      }
      // A plan looks at every frame.
      await turn();
    }
  }
  if (problems.length > 0) throw joinedError(problems, folds * seeds.length);
  return { dataset, folds, runs };
}

type FineTuneFields = Parameters<typeof plannedFineTune>[2];

/** What a cross-validation decides by itself must not be given, and there must be folds. @throws {RecipeError} */
function requireFoldsAlone({ split, optimization }: FineTune, folds: number, seeds: number): void {
  const inTurn = "Expected none: every fold is tested on in turn, got";
  const given: readonly (readonly [field: string, description: string | undefined])[] = [
    ["split.fold", split?.fold === undefined ? undefined : `${inTurn} ${split.fold}`],
    ["split.testFraction", split?.testFraction === undefined ? undefined : `${inTurn} ${split.testFraction}`],
    [
      "optimization.seed",
      optimization?.seed === undefined ? undefined : `Expected none beside seeds, got ${optimization.seed}`,
    ],
    ["split.folds", folds > 0 ? undefined : "Expected how many folds to draw: the data set has none"],
    [
      "split.folds",
      folds * seeds <= MAX_RUNS
        ? undefined
        : `Expected at most ${MAX_RUNS} trainings, got ${folds} folds with ${seeds} seeds each`,
    ],
  ];
  const violations = given.flatMap(([field, description]) =>
    description === undefined ? [] : [{ field: fieldName("fineTune", field), description }],
  );
  if (violations.length > 0) throw new RecipeError(violations);
}

/** One error with each problem once; those that not all runs have name the first run that has them. */
function joinedError(problems: readonly { readonly run: string; readonly error: RecipeError }[], runs: number) {
  const found = problems.flatMap(({ run, error }) => error.violations.map((violation) => ({ ...violation, run })));
  const same = Map.groupBy(found, ({ field, description }) => JSON.stringify([field, description]));
  const violations = [...same.values()].map((each) => {
    const [{ field, description, run }] = each as [(typeof each)[number]];
    return { field, description: each.length === runs ? description : `${run}: ${description}` };
  });
  return new RecipeError(violations, problems[0]!.error);
}
