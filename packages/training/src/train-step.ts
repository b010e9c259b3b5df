import type { ModelConfig } from "@duchenne/model";
import { type AuDetector, auLoss, type IdentityLossKind, identityLoss } from "@duchenne/model/training";
import type { AdamW, TensorFlow } from "@duchenne/tensor";
import type { Scalar, Tensor, Tensor4D } from "@tensorflow/tfjs";

/** One batch. */
export interface Batch {
  /** [B, 3, S, S], normalised. */
  readonly images: Float32Array;
  /** [B, A]: 1 occurs, 0 does not, -1 unknown and left out of the loss. */
  readonly occurrence: Int8Array;
  /** [B] */
  readonly subjects: Int32Array;
}

/** What a step is taken with. */
export interface StepOptions {
  readonly learningRate: number;
  readonly lambda: number;
  readonly identityLoss: IdentityLossKind;
  /** Largest joint L2 norm of the gradients; 0: any. */
  readonly clipGradientNorm: number;
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

/** What is trained. */
export interface Trainee {
  readonly detector: AuDetector;
  readonly optimizer: AdamW;
  readonly config: ModelConfig;
}

/** A micro-batch as tensors, with its share of the whole batch. */
interface Shard {
  readonly images: Tensor4D;
  readonly targets: Tensor;
  readonly known: Tensor;
  readonly subjects: Tensor;
  /** Share of the batch's known labels, and of its images: means over shards become means over the batch. */
  readonly auShare: number;
  readonly identityShare: number;
  /** Fixes what stochastic depth drops in this shard. */
  readonly seed: number;
}

/**
 * One update: the gradient of the sum of both losses, at equal weight, over all micro-batches as if they were one batch;
 * lambda acts in the gradient reversal alone.
 */
export function trainStep(
  tf: TensorFlow,
  { detector, optimizer, config }: Trainee,
  microBatches: readonly Batch[],
  options: StepOptions,
): StepMetrics {
  const metrics: Record<string, number> = {};
  tf.tidy(() => {
    const shards = shardsFrom(tf, config, microBatches, options.seed);
    const add = (name: string, value: number) => {
      metrics[name] = (metrics[name] ?? 0) + value;
    };
    const total = new Map<string, Tensor>();
    for (const shard of shards) {
      const { gradients, measured } = shardGradients(tf, detector, shard, options);
      for (const [name, value] of Object.entries(measured)) add(name, value);
      for (const [name, gradient] of gradients) total.set(name, total.get(name)?.add(gradient) ?? gradient);
    }
    if (options.measureGradients === true) {
      Object.assign(
        metrics,
        gradientNorms(tf, detector, total, (shard) => auLossOf(tf, detector, shard, options), shards),
      );
    }
    optimizer.step(clipped(total, options.clipGradientNorm), options.learningRate);
  });
  const { auLoss: loss = Number.NaN, ...rest } = metrics;
  return { auLoss: loss, ...rest };
}

function shardsFrom(tf: TensorFlow, config: ModelConfig, batches: readonly Batch[], seed: number): Shard[] {
  const images = batches.reduce((sum, { subjects }) => sum + subjects.length, 0);
  const knownIn = ({ occurrence }: Batch) => occurrence.reduce((sum, label) => sum + (label === -1 ? 0 : 1), 0);
  const known = Math.max(
    batches.reduce((sum, batch) => sum + knownIn(batch), 0),
    1,
  );
  return batches.map((batch, i) => {
    const count = batch.subjects.length;
    const size = config.imageSize;
    const shape: [number, number] = [count, config.actionUnits.length];
    return {
      images: tf.tensor4d(batch.images, [count, 3, size, size]),
      targets: tf.tensor2d(
        Float32Array.from(batch.occurrence, (label) => (label === 1 ? 1 : 0)),
        shape,
      ),
      known: tf.tensor2d(
        Float32Array.from(batch.occurrence, (label) => (label === -1 ? 0 : 1)),
        shape,
      ),
      subjects: tf.tensor1d(batch.subjects, "int32"),
      auShare: knownIn(batch) / known,
      identityShare: count / images,
      seed: seed * batches.length + i,
    };
  });
}

function shardGradients(
  tf: TensorFlow,
  detector: AuDetector,
  { images, targets, known, subjects, auShare, identityShare, seed }: Shard,
  { lambda, identityLoss: kind }: StepOptions,
) {
  const parts: Record<string, Tensor> = {};
  const { grads } = tf.variableGrads(() => {
    const { auLogits, identityLogits } = detector.forward(images, { training: true, lambda, seed });
    const au = auLoss(tf, auLogits, targets, known).mul(auShare);
    parts.auLoss = tf.keep(au.clone());
    if (identityLogits === undefined) return au as Scalar;
    const identity = identityLoss(tf, identityLogits, subjects, kind).mul(identityShare);
    parts.identityLoss = tf.keep(identity.clone());
    const named = identityLogits.argMax(-1).equal(subjects).cast("float32").mean();
    parts.identityAccuracy = tf.keep(named.mul(identityShare));
    return au.add(identity) as Scalar;
  }, [...detector.variables.values()]);
  const measured: Record<string, number> = {};
  for (const [name, tensor] of Object.entries(parts)) {
    measured[name] = tensor.dataSync()[0]!;
    tensor.dispose();
  }
  const gradients = new Map([...detector.variables].map(([name, variable]) => [name, grads[variable.name]!]));
  return { gradients, measured };
}

function auLossOf(tf: TensorFlow, detector: AuDetector, shard: Shard, { lambda }: StepOptions): Scalar {
  const { images, targets, known, auShare, seed } = shard;
  const { auLogits } = detector.forward(images, { training: true, lambda, seed });
  return auLoss(tf, auLogits, targets, known).mul(auShare) as Scalar;
}

/** Scales gradients down to a joint L2 norm, as PyTorch's clip_grad_norm_ does; 0 leaves them. */
function clipped(gradients: ReadonlyMap<string, Tensor>, maxNorm: number): Record<string, Tensor> {
  const scale = maxNorm === 0 ? 1 : Math.min(1, maxNorm / (norm([...gradients.values()]) + 1e-6));
  return Object.fromEntries(
    [...gradients].map(([name, gradient]) => [name, scale === 1 ? gradient : gradient.mul(scale)]),
  );
}

/** The joint L2 norm of tensors. */
function norm(tensors: readonly Tensor[]): number {
  return Math.sqrt(tensors.reduce((sum, tensor) => sum + tensor.square().sum().dataSync()[0]!, 0));
}

/**
 * The norms of both losses' gradients at the backbone. The losses are added, so what the AU loss did not cause is the
 * reversed identity loss's: one more backward pass tells them apart.
 */
function gradientNorms(
  tf: TensorFlow,
  { variables }: AuDetector,
  total: ReadonlyMap<string, Tensor>,
  auLossOfShard: (shard: Shard) => Scalar,
  shards: readonly Shard[],
): Record<string, number> {
  const backbone = [...variables].filter(([name]) => !/^(head|ID_head)\./.test(name));
  const { grads } = tf.variableGrads(
    () => shards.map(auLossOfShard).reduce((sum, loss) => sum.add(loss)),
    backbone.map(([, variable]) => variable),
  );
  const auGradientNorm = norm(backbone.map(([, variable]) => grads[variable.name]!));
  if (variables.size === backbone.length + 2) return { auGradientNorm };
  const reversed = backbone.map(([name, variable]) => total.get(name)!.sub(grads[variable.name]!));
  const identityGradientNorm = norm(reversed);
  return { auGradientNorm, identityGradientNorm, gradientRatio: identityGradientNorm / auGradientNorm };
}
