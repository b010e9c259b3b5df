// A worker thread that scores batches of crops: holds the sessions of vision transformers.
import { parentPort, workerData } from "node:worker_threads";
import type { InferenceSession } from "onnxruntime-node";
import { answerTasks, type Outcome } from "./answer-tasks.ts";
import { openSession, scoreBatch } from "./onnx-session.ts";
import type { ScoreModel, ScoreTask, ScoreWorkerSettings } from "./task.ts";

const port = parentPort!;
const settings = workerData as ScoreWorkerSettings;

interface Loaded {
  readonly source: ScoreModel;
  session: InferenceSession | undefined;
}
const models = new Map<number, Loaded>();

/** The model's session. One that could not be opened, in a worker that replaces another, is tried again. */
async function sessionOf(model: number): Promise<InferenceSession> {
  const loaded = models.get(model);
  if (loaded === undefined) throw new Error(`Model ${model} is not loaded`);
  loaded.session ??= await openSession(loaded.source, settings.threads);
  return loaded.session;
}

answerTasks<ScoreTask>(port, async (task): Promise<Outcome> => {
  switch (task.kind) {
    case "load":
      models.set(task.model, { source: task.source, session: undefined });
      await sessionOf(task.model);
      return {};
    case "unload": {
      const loaded = models.get(task.model);
      models.delete(task.model);
      await loaded?.session?.release();
      return {};
    }
    case "score": {
      const result = await scoreBatch(await sessionOf(task.model), task.images, task.count);
      return { result, transfer: [result.logits.buffer, result.features.buffer] };
    }
    case "close":
      for (const { session } of models.values()) await session?.release();
      port.close();
      return {};
  }
});
