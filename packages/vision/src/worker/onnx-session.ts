import { InferenceSession, Tensor } from "onnxruntime-node";
import { sessionOptions } from "./session-options.ts";
import type { ScoreModel, ScoreResult } from "./task.ts";

/**
 * Opens a model's session and warms it, where it says how. A session that is refused holds no memory.
 *
 * @param threads threads of the session
 * @throws {Error} when the file is no model, cannot be run on images of its size, or answers other logits than expected
 */
export async function openSession({ path, warmUp }: ScoreModel, threads: number): Promise<InferenceSession> {
  const session = await InferenceSession.create(path, sessionOptions(threads));
  if (warmUp === undefined) return session;
  try {
    const { imageSize, logits: expected } = warmUp;
    const { logits } = await scoreBatch(session, [new Float32Array(3 * imageSize * imageSize)], 1);
    if (logits.length !== expected) {
      throw new Error(`Expected ${expected} logits, one for each action unit, got ${logits.length}`);
    }
    return session;
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** Runs a vision transformer on `count` images that together are [B, 3, S, S]. */
export async function scoreBatch(
  session: InferenceSession,
  images: readonly Float32Array[],
  count: number,
): Promise<ScoreResult> {
  const [first] = images;
  let data = first!;
  if (images.length > 1) {
    data = new Float32Array(images.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const image of images) {
      data.set(image, at);
      at += image.length;
    }
  }
  const side = Math.round(Math.sqrt(data.length / (3 * count)));
  const outputs = await session.run({ image: new Tensor("float32", data, [count, 3, side, side]) });
  const { logits, features } = outputs;
  if (logits === undefined || features === undefined) {
    throw new Error(`Expected the outputs logits and features, got ${Object.keys(outputs).join(", ")}`);
  }
  return {
    logits: Float32Array.from(logits.data as Float32Array),
    features: Float32Array.from(features.data as Float32Array),
  };
}
