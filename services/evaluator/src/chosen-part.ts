import { datasetDescription, isHeldOutKnown, openRegisteredLabels, parseDatasetName } from "@duchenne/control";
import type { Dataset } from "@duchenne/data";
import type { ModelCard } from "@duchenne/model";
import { Split } from "@duchenne/proto";
import type { Store } from "@duchenne/store";
import { selectFrames } from "./select-frames.ts";

/** The part of a data set that a request chooses. */
export interface ChosenPart {
  readonly split: "held_out" | "all";
  readonly dataset: Dataset;
  /** Its places in the data set. */
  readonly frames: Uint32Array;
}

/**
 * The part that a request chooses, by default what the version's training held out, else all. Images are not read.
 *
 * @param card the version's; absent for the built-in model
 * @throws {NotFoundError} @throws {NoHeldOutPartError}
 */
export async function chosenPart(
  store: Store,
  request: { readonly dataset: string; readonly split: Split },
  card: ModelCard | undefined,
): Promise<ChosenPart> {
  const { digest } = datasetDescription(await store.datasets.get(parseDatasetName(request.dataset, "dataset")));
  const isHeldOut =
    request.split === Split.HELD_OUT || (request.split === Split.UNSPECIFIED && isHeldOutKnown(card, digest));
  const split = isHeldOut ? "held_out" : "all";
  const dataset = await openRegisteredLabels(store, request.dataset);
  return { split, dataset, frames: selectFrames(dataset, split, card) };
}
