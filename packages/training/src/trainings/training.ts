import type { Dataset } from "@duchenne/data";
import {
  type CardFigure,
  initialiseFrom,
  initialiseMaeParameters,
  initialiseParameters,
  type MaeConfig,
  type ParameterSet,
  type SourceWeights,
  type VitConfig,
} from "@duchenne/model";
import type { TensorFlow } from "@duchenne/tensor";
import type { TrainingEvent } from "../events.ts";

/** What every training works on. */
export interface TrainingOptions<P> {
  readonly tf: TensorFlow;
  readonly dataset: Dataset;
  readonly plan: P;
  /** "recorded" (default): steps are TensorFlow functions; "eager": operation by operation, to debug and to compare. */
  readonly mode?: "recorded" | "eager" | undefined;
  /** Aborting ends the training after a last checkpoint. */
  readonly signal: AbortSignal;
  /** Goes on from here: the rest is the same, bit for bit, as if it had never stopped. */
  readonly checkpoint?: Uint8Array | undefined;
}

/** What a training made. */
export interface TrainedModel<C> {
  readonly config: C;
  readonly parameters: ParameterSet;
  /** Of the held-out parts, by name, such as "validation/macroAuc", with 95 % intervals. */
  readonly metrics: Readonly<Record<string, CardFigure>>;
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

/**
 * The weights that a training starts from: drawn, or an earlier model's, and then with a line about what became of them.
 *
 * @throws {EncoderMismatchError} when the earlier model's encoder is of another shape
 */
export function* startingParameters(
  config: VitConfig | MaeConfig,
  seed: number,
  initial: SourceWeights | undefined,
): Generator<TrainingEvent, ParameterSet, undefined> {
  if (initial === undefined) {
    return config.kind === "mae" ? initialiseMaeParameters(config, seed) : initialiseParameters(config, seed);
  }
  const { parameters, report } = initialiseFrom(config, seed, initial);
  const { missing, unexpected, reshaped, ignored } = report;
  const named = (what: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${what}: ${names.join(", ")}`];
  const told = [
    ...named("drawn anew", [...missing, ...ignored.map(({ name }) => name)]),
    ...named(
      "reshaped",
      reshaped.map(({ name }) => name),
    ),
    ...named("left out", unexpected),
  ];
  const text = `Starts from earlier weights${told.length === 0 ? "" : `; ${told.join("; ")}`}`;
  yield { kind: "log", level: "info", text };
  return parameters;
}
