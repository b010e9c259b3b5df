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
  /** Also measures the gradients of both losses at the backbone: one more backward pass. */
  readonly measureGradients?: boolean;
}

/** What a step measured. */
export interface StepMetrics {
  readonly auLoss: number;
  /** Absent without an identity head. */
  readonly identityLoss?: number;
  /** Share of the batch whose subject the identity head names. */
  readonly identityAccuracy?: number;
  /** L2 norm of the AU loss's gradient over all parameters of the backbone. */
  readonly auGradientNorm?: number;
  /** L2 norm of the reversed identity loss's gradient over the same parameters, lambda included. */
  readonly identityGradientNorm?: number;
  /** identityGradientNorm / auGradientNorm: which of the two moves the backbone (section 5.3 of the paper). */
  readonly gradientRatio?: number;
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
    const { grads } = tf.variableGrads(() => {
      const { auLogits, identityLogits } = detector.forward(images, { training: true, ...options });
      parts.auLoss = tf.keep(auLoss(tf, auLogits, targets, known));
      if (identityLogits === undefined) return parts.auLoss.clone() as Scalar;
      parts.identityLoss = tf.keep(identityLoss(tf, identityLogits, subjects, options.identityLoss));
      parts.identityAccuracy = tf.keep(identityLogits.argMax(-1).equal(subjects).cast("float32").mean());
      return parts.auLoss.add(parts.identityLoss) as Scalar;
    }, [...detector.variables.values()]);
    const byName = new Map([...detector.variables].map(([name, variable]) => [name, grads[variable.name]!]));
    const metrics: Record<string, number> = {};
    if (options.measureGradients === true) {
      const auOnly = () => {
        const { auLogits } = detector.forward(images, { training: true, ...options });
        return auLoss(tf, auLogits, targets, known) as Scalar;
      };
      Object.assign(metrics, gradientNorms(tf, detector, byName, auOnly));
    }
    optimizer.step(Object.fromEntries(byName), options.learningRate);
    for (const [name, tensor] of Object.entries(parts)) {
      metrics[name] = tensor.dataSync()[0]!;
      tensor.dispose();
    }
    return metrics;
  });
  return measured as unknown as StepMetrics;
}

/**
 * The norms of both losses' gradients at the backbone. The losses are added, so what the AU loss did not cause is the
 * reversed identity loss's: one more backward pass tells them apart.
 */
function gradientNorms(
  tf: TensorFlow,
  { variables }: AuDetector,
  total: ReadonlyMap<string, Tensor>,
  auLossOf: () => Scalar,
): Record<string, number> {
  const backbone = [...variables].filter(([name]) => !/^(head|ID_head)\./.test(name));
  const norm = (tensors: readonly Tensor[]) =>
    Math.sqrt(tensors.reduce((sum, tensor) => sum + tensor.square().sum().dataSync()[0]!, 0));
  const { grads } = tf.variableGrads(
    auLossOf,
    backbone.map(([, variable]) => variable),
  );
  const auGradientNorm = norm(backbone.map(([, variable]) => grads[variable.name]!));
  if (variables.size === backbone.length + 2) return { auGradientNorm };
  const reversed = backbone.map(([name, variable]) => total.get(name)!.sub(grads[variable.name]!));
  const identityGradientNorm = norm(reversed);
  return { auGradientNorm, identityGradientNorm, gradientRatio: identityGradientNorm / auGradientNorm };
}
