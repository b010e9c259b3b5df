/** Thrown when a model in int8 would answer something else than in float. */
export class InaccurateQuantizationError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "INACCURATE_QUANTIZATION";

  /** @param where on which images it was measured */
  constructor(expected: number, actual: number, where: string) {
    super(
      `Expected probabilities in int8 to differ from float32 by at most ${expected} on average, got ${actual.toFixed(4)} ${where}`,
    );
    this.name = "InaccurateQuantizationError";
  }
}

/** A choice of layers that stay in float, and what comes of it. */
export interface Outcome {
  readonly floatLayers: readonly string[];
  readonly meanDifference: number;
}

/** What layers are chosen by. */
export interface FloatLayersOptions<O extends Outcome> {
  /** All linear layers, in the order of the graph. */
  readonly layers: readonly string[];
  /** What each layer alone changes. */
  readonly sensitivity: ReadonlyMap<string, number>;
  readonly maxMeanDifference: number;
  /** What all together change. */
  readonly allInt8: number;
  /** Measures a choice. */
  quantize(floatLayers: readonly string[]): Promise<O>;
}

/**
 * Keeps as few of the most sensitive layers in float as keep the limit, at most half of them. That more layers in float are
 * never worse is taken for granted in the search, and measured for what is answered.
 *
 * @throws {InaccurateQuantizationError}
 */
export async function fewestFloatLayers<O extends Outcome>({
  layers,
  sensitivity,
  maxMeanDifference,
  allInt8,
  quantize,
}: FloatLayersOptions<O>): Promise<O> {
  const bySensitivity = layers.toSorted((p, q) => sensitivity.get(q)! - sensitivity.get(p)!);
  const keeping = (count: number): Promise<O> => {
    const kept = new Set(bySensitivity.slice(0, count));
    return quantize(layers.filter((layer) => kept.has(layer)));
  };
  let [tooFew, enough] = [0, Math.floor(layers.length / 2)];
  let best = await keeping(enough);
  // What is not a number is no answer either.
  if (!(best.meanDifference <= maxMeanDifference)) {
    const kept = `with all layers and ${best.meanDifference.toFixed(4)} with half of them in float32`;
    throw new InaccurateQuantizationError(maxMeanDifference, allInt8, kept);
  }
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    const outcome = await keeping(middle);
    if (outcome.meanDifference <= maxMeanDifference) [enough, best] = [middle, outcome];
    else tooFew = middle;
  }
  return best;
}
