import { setImmediate as turn } from "node:timers/promises";
import type { Vit } from "@duchenne/model/training";
import type { TensorFlow } from "@duchenne/tensor";
import { imageTensor } from "./objectives/au-objective.ts";

/** Logits [N, C] and features [N, D]. */
export interface Predictions {
  readonly logits: Float32Array;
  readonly features: Float32Array;
}

/** Reads images [B, 3, S, S], normalised and not augmented. */
export type ReadImages = (samples: Uint32Array) => Promise<Float32Array>;

/** Images a pass. */
const BATCH = 32;

/**
 * Passes samples through a model, without augmentation and stochastic depth.
 *
 * @throws the signal's reason when aborted
 */
export async function predict(
  tf: TensorFlow,
  vit: Vit,
  { read, samples, signal }: { readonly read: ReadImages; readonly samples: Uint32Array; readonly signal: AbortSignal },
): Promise<Predictions> {
  const logits: Float32Array[] = [];
  const features: Float32Array[] = [];
  for (let from = 0; from < samples.length; from += BATCH) {
    signal.throwIfAborted();
    const images = await read(samples.subarray(from, from + BATCH));
    tf.tidy(() => {
      const pooled = vit.features(imageTensor(tf, images, vit.config), { training: false, seed: 0 });
      features.push(Float32Array.from(pooled.dataSync()));
      logits.push(Float32Array.from(vit.logits(pooled).dataSync()));
    });
    await turn();
  }
  return { logits: joined(logits), features: joined(features) };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
