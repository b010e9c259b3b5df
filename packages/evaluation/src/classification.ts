import { checkFinite } from "./check-finite.ts";

/** Logits of N frames over C classes, and the classes that are right. */
export interface ClassifiedFrames {
  /** [N * C] */
  readonly logits: Float32Array;
  /** N indices of classes. */
  readonly labels: Int32Array;
}

/**
 * Whether each frame's class is among the `depth` largest logits: 1 or 0. Of equal logits the first class counts as larger.
 *
 * @throws {RangeError} when there are no frames, or the arrays do not fit each other
 * @throws {NonFiniteScoreError}
 */
export function amongTop(frames: ClassifiedFrames, depth: number): Uint8Array {
  return Uint8Array.from(rowsOf(frames), ({ logits, label }) => {
    const own = logits[label]!;
    let above = 0;
    for (const [each, logit] of logits.entries()) if (logit > own || (logit === own && each < label)) above++;
    return above < depth ? 1 : 0;
  });
}

/** The share of the frames that are `amongTop`. @throws as `amongTop` */
export function topAccuracy(frames: ClassifiedFrames, depth: number): number {
  return amongTop(frames, depth).reduce((sum, each) => sum + each, 0) / frames.labels.length;
}

/** Some rows of values [N * width]. */
export function takeRows<Values extends Float32Array | Int8Array>(
  values: Values,
  width: number,
  rows: readonly number[],
): Values {
  const Kind = values instanceof Float32Array ? Float32Array : Int8Array;
  const taken = new Kind(rows.length * width) as Values;
  for (const [i, row] of rows.entries()) taken.set(values.subarray(row * width, (row + 1) * width), i * width);
  return taken;
}

/** The class of each frame's largest logit, of equal ones the first. @throws as `amongTop` */
export function answersOf(frames: ClassifiedFrames): Int32Array {
  return Int32Array.from(rowsOf(frames), ({ logits }) => logits.indexOf(logits.reduce((a, b) => Math.max(a, b))));
}

/** Mean softmax cross-entropy, in nats. @throws as `amongTop` */
export function meanCrossEntropy(frames: ClassifiedFrames): number {
  return rowsOf(frames).reduce((sum, row) => sum + crossEntropy(row), 0) / frames.labels.length;
}

/** One frame's logits [C] and its class. */
export interface ClassifiedFrame {
  readonly logits: Float32Array;
  readonly label: number;
}

/** The frames one by one. @throws as `amongTop` */
export function rowsOf({ logits, labels }: ClassifiedFrames): ClassifiedFrame[] {
  const classes = logits.length / labels.length;
  if (labels.length === 0) throw new RangeError("Expected at least one frame, got none");
  if (!Number.isInteger(classes))
    throw new RangeError(`Expected ${labels.length} rows of logits, got ${logits.length}`);
  checkFinite(logits, classes);
  return Array.from(labels, (label, row) => ({ label, logits: logits.subarray(row * classes, (row + 1) * classes) }));
}

/** -log softmax(z)[y] = log(sum exp(z - max z)) + max z - z[y]: it neither overflows nor needs to be cut off. */
export function crossEntropy({ logits, label }: ClassifiedFrame): number {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const whole = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return largest + Math.log(whole) - logits[label]!;
}
