import { createImageLoader, type Dataset, IMAGENET_MEAN, IMAGENET_STD } from "@duchenne/data";
import type { TensorFlow } from "@duchenne/tensor";
import type { Rank, Scalar, Tensor2D } from "@tensorflow/tfjs";

const CELL = 8;
const ORIENTATIONS = 9;
/** L2 penalty on the weights, on standardised features. */
const PENALTY = 1e-3;
const STEPS = 300;
const LEARNING_RATE = 1e-2;

/**
 * What a model without learned features reaches: histograms of oriented gradients (Dalal and Triggs 2005) under a
 * logistic regression for each action unit.
 *
 * @returns probabilities of the test part, [N * A]
 */
export async function hogBaseline(
  tf: TensorFlow,
  dataset: Dataset,
  { train, test, imageSize }: { readonly train: Uint32Array; readonly test: Uint32Array; readonly imageSize: number },
): Promise<Float32Array> {
  const loader = createImageLoader(dataset, { imageSize });
  const read = async (samples: Uint32Array) => {
    const rows: Float32Array[] = [];
    for (const sample of samples) rows.push(hogOf(greyOf(await loader.load([sample])), imageSize));
    const width = rows[0]!.length;
    const values = new Float32Array(rows.length * width);
    for (const [i, row] of rows.entries()) values.set(row, i * width);
    return tf.tensor2d(values, [rows.length, width]);
  };
  const [trainRows, testRows] = [await read(train), await read(test)];
  const labels = tf.tensor2d(
    Array.from(train, (index) => [...dataset.samples[index]!.occurrence]),
    [train.length, dataset.actionUnits.length],
  );
  return tf.tidy(() => {
    const { mean, variance } = tf.moments(trainRows, 0);
    const standardised = (rows: Tensor2D): Tensor2D => rows.sub(mean).div(variance.add(1e-8).sqrt());
    const inputs = standardised(trainRows);
    const weights = tf.variable(tf.zeros<Rank.R2>([inputs.shape[1], dataset.actionUnits.length]));
    const bias = tf.variable(tf.zeros<Rank.R1>([dataset.actionUnits.length]));
    const logits = (rows: Tensor2D): Tensor2D => rows.matMul<Tensor2D>(weights).add(bias);
    const optimizer = tf.train.adam(LEARNING_RATE);
    for (let step = 0; step < STEPS; step++) {
      optimizer.minimize(() => {
        const loss = tf.losses.sigmoidCrossEntropy(labels, logits(inputs));
        return loss.add(weights.square().sum().mul(PENALTY)) as Scalar;
      });
    }
    return Float32Array.from(logits(standardised(testRows)).sigmoid().dataSync());
  });
}

/** The mean of the channels of one normalised image [3, S, S], in 0..1. */
function greyOf(image: Float32Array): Float32Array {
  const pixels = image.length / 3;
  return Float32Array.from({ length: pixels }, (_, i) =>
    [0, 1, 2].reduce((sum, c) => sum + (image[c * pixels + i]! * IMAGENET_STD[c]! + IMAGENET_MEAN[c]!) / 3, 0),
  );
}

/** Unsigned orientations in cells of 8 x 8 pixels, blocks of 2 x 2 cells normalised by their L2 norm. */
function hogOf(grey: Float32Array, size: number): Float32Array {
  const cells = Math.floor(size / CELL);
  const histogram = new Float32Array(cells * cells * ORIENTATIONS);
  for (let y = 1; y < cells * CELL - 1; y++) {
    for (let x = 1; x < cells * CELL - 1; x++) {
      const dx = grey[y * size + x + 1]! - grey[y * size + x - 1]!;
      const dy = grey[(y + 1) * size + x]! - grey[(y - 1) * size + x]!;
      const angle = (Math.atan2(dy, dx) + Math.PI) % Math.PI;
      const bin = Math.min(Math.floor((angle / Math.PI) * ORIENTATIONS), ORIENTATIONS - 1);
      const cell = Math.floor(y / CELL) * cells + Math.floor(x / CELL);
      histogram[cell * ORIENTATIONS + bin]! += Math.hypot(dx, dy);
    }
  }
  const blocks: number[] = [];
  for (let row = 0; row + 1 < cells; row++) {
    for (let column = 0; column + 1 < cells; column++) {
      const block = [0, 1, cells, cells + 1].flatMap((offset) => {
        const from = (row * cells + column + offset) * ORIENTATIONS;
        return [...histogram.subarray(from, from + ORIENTATIONS)];
      });
      const norm = Math.sqrt(block.reduce((sum, value) => sum + value * value, 1e-6));
      blocks.push(...block.map((value) => value / norm));
    }
  }
  return Float32Array.from(blocks);
}
