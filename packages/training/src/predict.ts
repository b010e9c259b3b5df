import type { ImageLoader } from "@duchenne/data";
import type { ModelConfig } from "@duchenne/model";
import type { AuDetector } from "@duchenne/model/training";
import type { TensorFlow } from "@duchenne/tensor";

/** Probabilities [N, A] and features [N, D]. */
export interface Predictions {
  readonly probabilities: Float32Array;
  readonly features: Float32Array;
}

/** Images a pass. */
const BATCH = 32;

/** Passes samples through a detector, without augmentation and stochastic depth. */
export async function predict(
  tf: TensorFlow,
  { detector, config }: { readonly detector: AuDetector; readonly config: ModelConfig },
  loader: ImageLoader,
  indices: Uint32Array,
  signal: AbortSignal,
): Promise<Predictions> {
  const units = config.actionUnits.length;
  const probabilities = new Float32Array(indices.length * units);
  const features = new Float32Array(indices.length * config.dim);
  for (let from = 0; from < indices.length; from += BATCH) {
    signal.throwIfAborted();
    const batch = indices.subarray(from, from + BATCH);
    const images = await loader.load(batch);
    tf.tidy(() => {
      const shape: [number, number, number, number] = [batch.length, 3, config.imageSize, config.imageSize];
      const pass = detector.forward(tf.tensor4d(images, shape), { training: false, lambda: 0, seed: 0 });
      probabilities.set(pass.auLogits.sigmoid().dataSync(), from * units);
      features.set(pass.features.dataSync(), from * config.dim);
    });
  }
  return { probabilities, features };
}
