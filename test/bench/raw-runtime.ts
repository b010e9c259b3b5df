import { type InferenceSession, Tensor } from "onnxruntime-node";

/** What ONNX Runtime alone is timed on. */
export interface RawModel {
  readonly session: InferenceSession;
  /** An image, [3, S, S]. */
  readonly input: Float32Array;
  readonly side: number;
}

/** Milliseconds of a batch of one image's copies, without the first two runs. */
export async function rawMs({ session, input, side }: RawModel, batch: number, runs: number): Promise<number[]> {
  const data = new Float32Array(batch * input.length);
  for (let i = 0; i < batch; i++) data.set(input, i * input.length);
  const feeds = { image: new Tensor("float32", data, [batch, 3, side, side]) };
  const times: number[] = [];
  for (let run = -2; run < runs; run++) {
    const startedMs = performance.now();
    await session.run(feeds);
    if (run >= 0) times.push(performance.now() - startedMs);
  }
  return times;
}
