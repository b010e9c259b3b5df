/** The mean of a layer's costs: fine enough to tell inputs apart that differ by three orders. */
const MEAN_COST = 1024;

/**
 * What an error of each input costs a linear layer's outputs, where errors come alone: the squared norm of the weights that
 * read it, as a share of the mean. Whole numbers, so that sums of them are exact in any order.
 *
 * @param weight [outputs, inputs]
 * @returns [inputs]; all the same when nothing reads anything
 */
export function inputCosts(weight: Float32Array, inputs: number): Float64Array {
  const costs = new Float64Array(inputs);
  for (let i = 0; i < weight.length; i++) costs[i % inputs]! += weight[i]! ** 2;
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / inputs;
  return mean === 0 ? costs.fill(1) : costs.map((cost) => Math.round((MEAN_COST * cost) / mean));
}
