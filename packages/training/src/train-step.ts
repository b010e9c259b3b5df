import type { ModelConfig } from "@duchenne/model";
import { type AuDetector, auLoss, type IdentityLossKind, identityLoss } from "@duchenne/model/training";
import type { AdamW, TensorFlow } from "@duchenne/tensor";
import type { Scalar, Tensor } from "@tensorflow/tfjs";

/** One batch. */
export interface Batch {
  /** [B, 3, S, S], normalised. */
  readonly images: Float32Array;
  /** [B, A]: 1 occurs, 0 does not, -1 unknown. */
  readonly occurrence: Int8Array;
  /** [B] */
  readonly subjects: Int32Array;
}

/** What a step is taken with. */
export interface StepOptions {
  readonly learningRate: number;
  readonly lambda: number;
  readonly identityLoss: IdentityLossKind;
  /** Fixes what stochastic depth drops. */
  readonly seed: number;
}

/** What a step measured. */
export interface StepMetrics {
  readonly auLoss: number;
  /** Absent without an identity head. */
  readonly identityLoss?: number;
  /** Share of the batch whose subject the identity head names. */
  readonly identityAccuracy?: number;
}

/**
 * One update: the sum of both losses, at equal weight; lambda acts in the gradient reversal alone.
 */
export function trainStep(
  tf: TensorFlow,
  { detector, optimizer, config }: { detector: AuDetector; optimizer: AdamW; config: ModelConfig },
  batch: Batch,
  options: StepOptions,
): StepMetrics {
  const measured = tf.tidy(() => {
    const count = batch.subjects.length;
    const size = config.imageSize;
    const images = tf.tensor4d(batch.images, [count, 3, size, size]);
    const shape: [number, number] = [count, config.actionUnits.length];
    const targets = tf.tensor2d(
      Float32Array.from(batch.occurrence, (label) => (label === 1 ? 1 : 0)),
      shape,
    );
    const known = tf.tensor2d(
      Float32Array.from(batch.occurrence, (label) => (label === -1 ? 0 : 1)),
      shape,
    );
    const subjects = tf.tensor1d(batch.subjects, "int32");
    const parts: { auLoss?: Tensor; identityLoss?: Tensor; identityAccuracy?: Tensor } = {};
    const names = [...detector.variables.keys()];
    const { grads } = tf.variableGrads(() => {
      const { auLogits, identityLogits } = detector.forward(images, { training: true, ...options });
      parts.auLoss = tf.keep(auLoss(tf, auLogits, targets, known));
      if (identityLogits === undefined) return parts.auLoss.clone() as Scalar;
      parts.identityLoss = tf.keep(identityLoss(tf, identityLogits, subjects, options.identityLoss));
      parts.identityAccuracy = tf.keep(identityLogits.argMax(-1).equal(subjects).cast("float32").mean());
      return parts.auLoss.add(parts.identityLoss) as Scalar;
    }, [...detector.variables.values()]);
    const byName = Object.fromEntries(names.map((name) => [name, grads[detector.variables.get(name)!.name]!]));
    optimizer.step(byName, options.learningRate);
    const metrics: Record<string, number> = {};
    for (const [name, tensor] of Object.entries(parts)) {
      metrics[name] = tensor.dataSync()[0]!;
      tensor.dispose();
    }
    return metrics;
  });
  return measured as unknown as StepMetrics;
}
