/** Logits of N frames over C classes, and the classes that are right. */
export interface ClassifiedFrames {
  /** [N * C] */
  readonly logits: Float32Array;
  /** N indices of classes. */
  readonly labels: Int32Array;
}

/**
 * Share of the frames whose class is among the `depth` largest logits. Of equal logits the first class counts as larger.
 *
 * @throws {RangeError} when there are no frames, or the arrays do not fit each other
 */
export function topAccuracy(frames: ClassifiedFrames, depth: number): number {
  const classes = classesOf(frames);
  let right = 0;
  for (const [row, label] of frames.labels.entries()) {
    const logits = frames.logits.subarray(row * classes, (row + 1) * classes);
    const own = logits[label]!;
    let above = 0;
    for (const [each, logit] of logits.entries()) if (logit > own || (logit === own && each < label)) above++;
    if (above < depth) right++;
  }
  return right / frames.labels.length;
}

/** Mean softmax cross-entropy. @throws {RangeError} as `topAccuracy` */
export function meanCrossEntropy(frames: ClassifiedFrames): number {
  const classes = classesOf(frames);
  let sum = 0;
  for (const [row, label] of frames.labels.entries()) {
    const logits = frames.logits.subarray(row * classes, (row + 1) * classes);
    const largest = logits.reduce((a, b) => Math.max(a, b));
    const whole = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    sum += largest + Math.log(whole) - logits[label]!;
  }
  return sum / frames.labels.length;
}

function classesOf({ logits, labels }: ClassifiedFrames): number {
  const classes = logits.length / labels.length;
  if (labels.length === 0) throw new RangeError("Expected at least one frame, got none");
  if (!Number.isInteger(classes))
    throw new RangeError(`Expected ${labels.length} rows of logits, got ${logits.length}`);
  return classes;
}
