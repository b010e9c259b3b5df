import type { Dataset } from "@duchenne/data";
import type { MaeConfig } from "@duchenne/model";
import { initialiseMaeParameters, initialiseParameters, type ParameterSet, type VitConfig } from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";

/** What every training works on. */
export interface TrainingOptions<P> {
  readonly tf: TensorFlow;
  readonly dataset: Dataset;
  readonly plan: P;
  /** Aborting ends the training after a last checkpoint. */
  readonly signal: AbortSignal;
  /** Goes on from here: the rest is the same, bit for bit, as if it had never stopped. */
  readonly checkpoint?: Uint8Array | undefined;
}

/** A model that a training starts from. */
export interface InitialModel {
  readonly config: VitConfig | MaeConfig;
  readonly parameters: ParameterSet;
}

/** What a training made. */
export interface TrainedModel<C> {
  readonly config: C;
  readonly parameters: ParameterSet;
  /** Of the held-out parts, by name, such as "validation/macroAuc". */
  readonly metrics: Readonly<Record<string, number>>;
  /** The epoch that the weights are of. */
  readonly epoch: number;
}

/** Names a training, so that a checkpoint of another one is refused. */
export function identityOf(
  kind: string,
  { dataset, plan }: Pick<TrainingOptions<{ readonly recipe: object }>, "dataset" | "plan">,
): string {
  return JSON.stringify({ kind, recipe: plan.recipe, dataset: dataset.digest });
}
export function startingParameters(config: VitConfig, seed: number, initial: InitialModel | undefined): ParameterSet {
  if (initial !== undefined) throw new Error("pending weights merge");
  return initialiseParameters(config, seed);
}
export function startingMaeParameters(
  config: MaeConfig,
  seed: number,
  initial: InitialModel | undefined,
): ParameterSet {
  if (initial !== undefined) throw new Error("pending weights merge");
  return initialiseMaeParameters(config, seed);
}
