// A worker thread that scores batches of crops: holds the sessions of vision transformers.
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { answerTasks, type Outcome } from "./answer-tasks.ts";
import type { ScoreModel, ScoreResult, ScoreTask, ScoreWorkerSettings } from "./task.ts";

const port = parentPort!;
const settings = workerData as ScoreWorkerSettings;
const sessions = new Map<number, InferenceSession>();

async function open({ path, warmUp }: ScoreModel): Promise<InferenceSession> {
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  if (warmUp !== undefined) {
    const { imageSize, logits: expected } = warmUp;
    const { logits } = await score(session, [new Float32Array(3 * imageSize * imageSize)], 1);
    if (logits.length !== expected) {
      await session.release();
      throw new Error(`Expected ${expected} logits, one for each action unit, got ${logits.length}`);
    }
  }
  return session;
}

/** Runs a vision transformer on images that together are [B, 3, S, S]. */
async function score(session: InferenceSession, images: readonly Float32Array[], count: number): Promise<ScoreResult> {
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

answerTasks<ScoreTask>(port, async (task): Promise<Outcome> => {
  switch (task.kind) {
    case "load":
      sessions.set(task.model, await open(task.source));
      return {};
    case "unload": {
      const session = sessions.get(task.model);
      sessions.delete(task.model);
      await session?.release();
      return {};
    }
    case "score": {
      const session = sessions.get(task.model);
      if (session === undefined) throw new Error(`Model ${task.model} is not loaded`);
      const result = await score(session, task.images, task.count);
      return { result, transfer: [result.logits.buffer, result.features.buffer] };
    }
    case "close":
      for (const session of sessions.values()) await session.release();
      port.close();
      return {};
  }
});
