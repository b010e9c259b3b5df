import { outputCount, type VitConfig } from "./config.ts";

/**
 * What logits [N * C] stand for: the probability of each action unit by itself, or of each expression among all.
 *
 * @returns [N * C]
 */
export function probabilitiesOf(config: VitConfig, logits: Float32Array): Float32Array {
  if (config.kind === "vit") return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  const classes = outputCount(config);
  const probabilities = new Float32Array(logits.length);
  for (let from = 0; from < logits.length; from += classes) {
    const row = logits.subarray(from, from + classes);
    const largest = Math.max(...row);
    const exponentials = row.map((logit) => Math.exp(logit - largest));
    const sum = exponentials.reduce((total, each) => total + each, 0);
    probabilities.set(
      exponentials.map((each) => each / sum),
      from,
    );
  }
  return probabilities;
}
