/** What fixes a learning rate schedule. */
export interface Schedule {
  readonly peakLearningRate: number;
  readonly minLearningRate: number;
  readonly warmupEpochs: number;
  readonly epochs: number;
}

/**
 * The learning rate at a point of the training: a linear warm-up that starts at exactly 0, then half a cosine down to the
 * floor (Loshchilov and Hutter 2017; 1.11 of the behavioural specification).
 *
 * @param epoch epochs done, as a real number
 */
export function learningRateAt(epoch: number, schedule: Schedule): number {
  const { peakLearningRate, minLearningRate, warmupEpochs, epochs } = schedule;
  if (epoch < warmupEpochs) return (peakLearningRate * epoch) / warmupEpochs;
  const share = (epoch - warmupEpochs) / (epochs - warmupEpochs);
  return minLearningRate + (peakLearningRate - minLearningRate) * 0.5 * (1 + Math.cos(Math.PI * share));
}
