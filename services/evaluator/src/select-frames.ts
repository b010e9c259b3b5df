import type { Dataset } from "@duchenne/data";
import type { ModelCard } from "@duchenne/model";

/** Thrown when a version was not trained on the data set whose held-out part is asked for. */
export class NoHeldOutPartError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "NO_HELD_OUT_PART";
  readonly violations = [
    { field: "split", description: "Expected a version trained on this data set for its held-out part; use SPLIT_ALL" },
  ];

  constructor() {
    super("The version was not trained on this data set: it held none of its subjects out");
    this.name = "NoHeldOutPartError";
  }
}

/** Thrown when a model and a data set have other action units. */
export class ActionUnitMismatchError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "ACTION_UNIT_MISMATCH";
  readonly violations: readonly { readonly field: string; readonly description: string }[];

  constructor(model: readonly number[], dataset: readonly number[]) {
    const description = `Expected a data set with labels of some of AU ${model.join(", ")}, it has AU ${dataset.join(", ")}`;
    super(description);
    this.name = "ActionUnitMismatchError";
    this.violations = [{ field: "dataset", description }];
  }
}

/** True when the card's training held subjects of this data set out. */
export function isHeldOutKnown(card: ModelCard | undefined, digest: string): card is ModelCard {
  return card !== undefined && card.dataset.digest === digest && card.split.testSubjects.length > 0;
}

/** The frames to evaluate on. @throws {NoHeldOutPartError} */
export function selectFrames(dataset: Dataset, split: "held_out" | "all", card: ModelCard | undefined): Uint32Array {
  const indices = Array.from(dataset.samples.keys());
  if (split === "all") return Uint32Array.from(indices);
  if (!isHeldOutKnown(card, dataset.digest)) throw new NoHeldOutPartError();
  const heldOut = new Set(card.split.testSubjects);
  return Uint32Array.from(indices.filter((i) => heldOut.has(dataset.samples[i]!.subject)));
}

/** The action units that both know, with their places. @throws {ActionUnitMismatchError} */
export function sharedActionUnits(
  model: readonly number[],
  dataset: readonly number[],
): { readonly actionUnit: number; readonly inModel: number; readonly inDataset: number }[] {
  const shared = model.flatMap((actionUnit, inModel) => {
    const inDataset = dataset.indexOf(actionUnit);
    return inDataset < 0 ? [] : [{ actionUnit, inModel, inDataset }];
  });
  if (shared.length === 0) throw new ActionUnitMismatchError(model, dataset);
  return shared;
}
