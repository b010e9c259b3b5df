// A worker thread that decodes images, finds their faces and prepares them for the model that scores them.
import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { createFaceChain, type FaceChain } from "../chain/face-chain.ts";
import { faceModelsMissing } from "../provision/index.ts";
import { answerTasks, type Outcome } from "./answer-tasks.ts";
import { findFaces } from "./find-faces.ts";
import type { FaceTask, FaceWorkerSettings } from "./task.ts";

// The pool is the parallelism: more threads in each worker would only compete.
sharp.concurrency(1);
sharp.cache(false);

const port = parentPort!;
const settings = workerData as FaceWorkerSettings;
let loading: Promise<FaceChain> | undefined;

function chain(): Promise<FaceChain> {
  if (settings.faceModels === undefined) throw faceModelsMissing();
  loading ??= createFaceChain(settings.faceModels).catch((error: unknown) => {
    // In a worker that replaces another, nobody waits for this: the next image tries again and is told.
    loading = undefined;
    throw error;
  });
  return loading;
}

answerTasks<FaceTask>(port, async (task): Promise<Outcome> => {
  switch (task.kind) {
    case "open":
      await chain();
      return {};
    case "find": {
      const result = await findFaces(task, { chain, limits: settings.imageLimits });
      return { result, transfer: result.faces.flatMap(({ input, landmarks }) => [input.buffer, landmarks.buffer]) };
    }
    case "close":
      port.close();
      return {};
  }
});
