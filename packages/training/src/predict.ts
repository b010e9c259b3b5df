import { setImmediate as turn } from "node:timers/promises";
import type { Vit } from "@duchenne/model/training";
import { compile, type TensorFlow } from "@duchenne/tensor";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { imageTensor } from "./objectives/au-objective.ts";

/** Logits [N, C] and features [N, D]. */
export interface Predictions {
  readonly logits: Float32Array;
  readonly features: Float32Array;
}

/** Passes samples through a model with its present weights, without augmentation and stochastic depth. */
export interface Predictor {
  /** @throws the signal's reason when aborted */
  predict(samples: Uint32Array, signal: AbortSignal): Promise<Predictions>;
  dispose(): void;
}

/** Images a pass. */
const BATCH = 32;

/** @param read answers images [B, 3, S, S], normalised and not augmented */
export function createPredictor(
  tf: TensorFlow,
  vit: Vit,
  read: (samples: Uint32Array) => Promise<Float32Array>,
): Predictor {
  const pass = compile(tf, {
    name: "predict",
    state: new Map(),
    step({ images }: Readonly<Record<"images", Tensor>>) {
      const features = vit.features(images as Tensor4D, { training: false, seed: 0 });
      return { outputs: { features, logits: vit.logits(features) } };
    },
  });
  return {
    async predict(samples, signal) {
      const logits: Float32Array[] = [];
      const features: Float32Array[] = [];
      for (let from = 0; from < samples.length; from += BATCH) {
        signal.throwIfAborted();
        const images = await read(samples.subarray(from, from + BATCH));
        tf.tidy(() => {
          const answer = pass.run({ images: imageTensor(tf, images, vit.config) });
          features.push(Float32Array.from(answer.features.dataSync()));
          logits.push(Float32Array.from(answer.logits.dataSync()));
        });
        await turn();
      }
      return { logits: joined(logits), features: joined(features) };
    },
    dispose: () => pass.dispose(),
  };
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
