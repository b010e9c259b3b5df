import { InferenceSession, Tensor } from "onnxruntime-node";
import { sessionOptions } from "../worker/session-options.ts";

/** Images that a graph is run on. */
export interface CalibrationImages {
  readonly count: number;
  /** Images from one place to another (exclusive), [to - from, 3, S, S], as normaliseImage makes them. */
  load(from: number, to: number): Promise<Float32Array>;
}

/** How graphs are run on images. */
export interface GraphRun {
  readonly images: CalibrationImages;
  /** Threads of the session. */
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of every batch. */
  readonly onImages?: ((count: number) => void) | undefined;
}

const DEFAULT_BATCH = 16;

/**
 * Runs a graph on all images, in batches, and answers their logits.
 *
 * @param look sees the outputs of each batch by their names
 * @returns [images * C]
 * @throws the signal's reason
 */
export async function withGraph(
  onnx: Uint8Array,
  { images, threads, signal, onImages, batchSize = DEFAULT_BATCH }: GraphRun & { readonly batchSize?: number },
  look: (outputs: (name: string) => Float32Array) => void = () => {},
): Promise<Float32Array> {
  const session = await InferenceSession.create(onnx, sessionOptions(threads));
  const logits: Float32Array[] = [];
  try {
    for (let from = 0; from < images.count; from += batchSize) {
      signal?.throwIfAborted();
      const to = Math.min(from + batchSize, images.count);
      const data = await images.load(from, to);
      const side = Math.round(Math.sqrt(data.length / (3 * (to - from))));
      const outputs = await session.run({ image: new Tensor("float32", data, [to - from, 3, side, side]) });
      look((name) => outputs[name]!.data as Float32Array);
      logits.push(Float32Array.from(outputs.logits!.data as Float32Array));
      for (const output of Object.values(outputs)) output.dispose();
      onImages?.(to - from);
    }
  } finally {
    await session.release();
  }
  const all = new Float32Array(logits.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of logits) {
    all.set(each, at);
    at += each.length;
  }
  return all;
}
