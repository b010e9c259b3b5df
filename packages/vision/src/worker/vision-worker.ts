// A worker thread of the vision engine: holds the sessions and does one task after the other.
import { parentPort, workerData } from "node:worker_threads";
import type { InferenceSession } from "onnxruntime-node";
import sharp from "sharp";
import type { VitSource } from "../au-model.ts";
import { createFaceChain, type FaceChain } from "../chain/face-chain.ts";
import { faceModelsMissing } from "../provision/index.ts";
import { blendshapeScorer, detect, type FaceScorer, openSession, scoreImages, vitScorer } from "./detect.ts";
import type { Reply, Task, WorkerSettings } from "./task.ts";

interface LoadedModel {
  readonly scorer: FaceScorer;
  readonly session?: InferenceSession;
}

// The pool is the parallelism: more threads in each worker would only compete.
sharp.concurrency(1);
sharp.cache(false);

const port = parentPort!;
const settings = workerData as WorkerSettings;
const models = new Map<number, LoadedModel>();
let chain: FaceChain | undefined;

async function loadChain(): Promise<FaceChain> {
  if (settings.faceModels === undefined) throw faceModelsMissing();
  chain ??= await createFaceChain(settings.faceModels);
  return chain;
}

async function loadVit(source: VitSource): Promise<LoadedModel> {
  const session = await openSession(source.path, settings.sessionThreads);
  if (settings.faceModels !== undefined) await loadChain();
  const scorer = vitScorer(session, source, () => {
    if (chain === undefined) throw faceModelsMissing();
    return chain;
  });
  return { session, scorer };
}

function modelOf(id: number): LoadedModel {
  const model = models.get(id);
  if (model === undefined) throw new Error(`Model ${id} is not loaded`);
  return model;
}

async function perform(task: Task): Promise<unknown> {
  switch (task.kind) {
    case "load":
      models.set(
        task.model,
        task.source.kind === "vit" ? await loadVit(task.source) : { scorer: blendshapeScorer(await loadChain()) },
      );
      return undefined;
    case "unload": {
      const { session } = modelOf(task.model);
      models.delete(task.model);
      await session?.release();
      return undefined;
    }
    case "detect":
      return detect(modelOf(task.model).scorer, task.request, settings.imageLimits);
    case "score": {
      const { session } = modelOf(task.model);
      if (session === undefined) throw new Error("Only vision transformers score tensors");
      return scoreImages(session, task.images, task.count);
    }
    case "close":
      for (const { session } of models.values()) await session?.release();
      port.close();
      return undefined;
  }
}

let tail: Promise<void> = Promise.resolve();
port.on("message", ({ id, task }: { readonly id: number; readonly task: Task }) => {
  tail = tail.then(async () => {
    let reply: Reply;
    try {
      reply = { id, result: await perform(task) };
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      const reason = error instanceof Error && "reason" in error ? String(error.reason) : undefined;
      reply = { id, error: { message, stack, reason } };
    }
    port.postMessage(reply);
  });
});
