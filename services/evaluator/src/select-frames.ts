import { heldOutFrames, InvalidFieldError, isHeldOutKnown } from "@duchenne/control";
import type { Dataset } from "@duchenne/data";
import type { ModelCard } from "@duchenne/model";

/** Thrown when a version was not trained on the data set whose held-out part is asked for. */
export class NoHeldOutPartError extends InvalidFieldError {
  readonly reason = "NO_HELD_OUT_PART";

  constructor() {
    super("split", "Expected a version trained on this data set for its held-out part; use SPLIT_ALL");
  }
}

/** Thrown when a model and a data set have other action units. */
export class ActionUnitMismatchError extends InvalidFieldError {
  readonly reason = "ACTION_UNIT_MISMATCH";

  constructor(model: readonly number[], dataset: readonly number[]) {
    const labelled = dataset.length === 0 ? "none" : `AU ${dataset.join(", ")}`;
    super("dataset", `Expected a data set with labels of some of AU ${model.join(", ")}, it has ${labelled}`);
  }
}

/** Thrown when a classifier and a data set have other expressions. */
export class ExpressionMismatchError extends InvalidFieldError {
  readonly reason = "EXPRESSION_MISMATCH";

  constructor(model: readonly string[], dataset: readonly string[]) {
    const labelled = dataset.length === 0 ? "none" : dataset.join(", ");
    super("dataset", `Expected a data set with some of the expressions ${model.join(", ")}, it has ${labelled}`);
  }
}

/** Thrown when no frame of the part that was asked for is labelled with what the model answers. */
export class NoLabelledFrameError extends InvalidFieldError {
  readonly reason = "NO_LABELLED_FRAME";

  constructor(frames: number) {
    super("dataset", `Expected frames with labels that the model knows, got none among ${frames}`);
  }
}

/** The frames to evaluate on. @throws {NoHeldOutPartError} */
export function selectFrames(dataset: Dataset, split: "held_out" | "all", card: ModelCard | undefined): Uint32Array {
  const all = Uint32Array.from(dataset.samples.keys());
  if (split === "all") return all;
  if (!isHeldOutKnown(card, dataset.digest)) throw new NoHeldOutPartError();
  return all.filter(heldOutFrames(dataset, card));
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

/**
 * The class of each frame as an index into the model's; -1 where it is not known, or none of them.
 *
 * @throws {ExpressionMismatchError} when they share no class @throws {NoLabelledFrameError}
 */
export function sharedExpressions(model: readonly string[], dataset: Dataset, frames: Uint32Array): Int32Array {
  const { expressions = [], samples } = dataset;
  if (!expressions.some((expression) => model.includes(expression))) {
    throw new ExpressionMismatchError(model, expressions);
  }
  const labels = Int32Array.from(frames, (index) => model.indexOf(expressions[samples[index]!.expression] ?? ""));
  if (labels.every((label) => label === -1)) throw new NoLabelledFrameError(frames.length);
  return labels;
}
