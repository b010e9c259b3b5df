import type {
  AuModel,
  DetectedFace,
  Detection,
  FoundImage,
  ModelDescription,
  ModelSource,
  Scheduling,
  VitSource,
} from "./au-model.ts";
import {
  actionUnitsFromBlendshapes,
  BLENDSHAPE_ACTION_UNITS,
  BLENDSHAPE_AU_DESCRIPTION,
  BLENDSHAPE_THRESHOLD_NOTE,
} from "./blendshape-au.ts";
import { resolveEngineOptions, type VisionEngineOptions } from "./engine-options.ts";
import { boxConvention } from "./face-box.ts";
import { createFaceStage, type FaceStage } from "./face-stage.ts";
import { createScoreStage, type FaceLogits, type Scorer } from "./score-stage.ts";
import { headPose } from "./signals/head-pose.ts";
import type { Preparation, PreparedFace } from "./worker/task.ts";

/** Runs models in worker threads: inference blocks its thread, and the caller's must stay free. */
export interface VisionEngine {
  /**
   * Loads a model into every worker.
   *
   * @throws {ProvisionError} when the model needs the face models and they are not in the cache
   * @throws {ModelLoadError} when the model's file cannot be opened
   */
  load(source: ModelSource): Promise<AuModel>;
  /** Ends the workers; what runs is finished, what waits is rejected with EngineClosedError. */
  close(): Promise<void>;
}

/**
 * Starts an engine.
 *
 *     const engine = createVisionEngine({ workers: 2 });
 *     const model = await engine.load({ kind: "blendshape-au" });
 *     const { faces } = await model.run({ image: await readFile("face.jpg"), maxFaces: 1 });
 */
export function createVisionEngine(options: VisionEngineOptions): VisionEngine {
  const resolved = resolveEngineOptions(options);
  const faces = createFaceStage(resolved);
  const scores = createScoreStage(resolved);
  return {
    async load(source) {
      if (source.kind === "blendshape-au") {
        await faces.open();
        return createBuiltInModel(faces);
      }
      // Crops can be scored without the face models; who sends photographs is told.
      if (resolved.faceModels !== undefined) await faces.open();
      return createVitModel(source, faces, await scores.load(source));
    },
    async close() {
      await Promise.all([faces.close(), scores.close()]);
    },
  };
}

/** The built-in model: action units from the blendshapes, which come with the faces. */
function createBuiltInModel(stage: FaceStage): AuModel {
  const description = describeBuiltInModel();
  const scoreFace = (found: FoundImage, face: PreparedFace) =>
    detectedFace(found, face, { scores: actionUnitsFromBlendshapes(face.input) });
  return modelOf(
    description,
    stage,
    { kind: "blendshapes" },
    {
      async score(found, { onStart }) {
        onStart?.();
        return detection(
          found,
          found.faces.map((face) => scoreFace(found, face)),
          0,
          0,
        );
      },
      dispose: async () => {},
    },
  );
}

/** A vision transformer on crops of the faces. */
function createVitModel(source: VitSource, stage: FaceStage, scorer: Scorer): AuModel {
  const { imageSize, boxConvention: convention, actionUnits } = source;
  const scoreFace = (found: FoundImage, face: PreparedFace, { logits, features }: FaceLogits) =>
    detectedFace(found, face, {
      scores: actionUnits.map(({ actionUnit, threshold }, unit) => {
        const logit = logits[unit]!;
        const score = 1 / (1 + Math.exp(-logit));
        return { actionUnit, score, threshold, ...(found.request.logits === true ? { logit } : {}) };
      }),
      ...(found.request.embeddings === true ? { embedding: features } : {}),
    });
  return modelOf(
    describeVit(source),
    stage,
    { kind: "crop", imageSize, boxConvention: convention },
    {
      async score(found, scheduling) {
        const { faces, queueMs, inferenceMs } = await scorer.score(found, scheduling);
        return detection(
          found,
          found.faces.map((face, i) => scoreFace(found, face, faces[i]!)),
          queueMs,
          inferenceMs,
        );
      },
      dispose: () => scorer.unload(),
    },
  );
}

function modelOf(
  description: ModelDescription,
  stage: FaceStage,
  preparation: Preparation,
  {
    score,
    dispose,
  }: { score(found: FoundImage, scheduling: Scheduling): Promise<Detection>; dispose(): Promise<void> },
): AuModel {
  return {
    describe: () => description,
    find: (request, scheduling = {}) => stage.find(request, preparation, scheduling),
    score: (found, scheduling = {}) => score(found, scheduling),
    async run(request, scheduling = {}) {
      const found = await stage.find(request, preparation, scheduling);
      return score(found, { ...scheduling, onStart: undefined });
    },
    dispose,
  };
}

function detection(found: FoundImage, faces: DetectedFace[], queueMs: number, inferenceMs: number): Detection {
  const { imageSize, receivedMs, decodeMs, facesMs, prepareMs } = found;
  return {
    faces,
    imageSize,
    times: {
      queueMs: found.queueMs + queueMs,
      decodeMs,
      facesMs,
      inferenceMs: prepareMs + inferenceMs,
      totalMs: performance.now() - receivedMs,
    },
  };
}

function detectedFace(
  { request }: FoundImage,
  { box, confidence, landmarks, quality }: PreparedFace,
  scored: Pick<DetectedFace, "scores" | "embedding">,
): DetectedFace {
  const hasLandmarks = landmarks.length > 0;
  return {
    box,
    confidence,
    ...scored,
    ...(request.landmarks === true && hasLandmarks ? { landmarks } : {}),
    ...(request.headPose === true && hasLandmarks ? { headPose: headPose(landmarks) } : {}),
    ...(quality === undefined ? {} : { quality }),
  };
}

/** What the built-in model is, and what its scores mean. */
export function describeBuiltInModel(): ModelDescription {
  return {
    kind: "blendshape-au",
    precision: "float32",
    description: BLENDSHAPE_AU_DESCRIPTION,
    scoreKind: "activation",
    actionUnits: BLENDSHAPE_ACTION_UNITS.map(({ actionUnit, source, threshold }) => ({
      actionUnit,
      threshold,
      thresholdOrigin: "expert",
      thresholdNote: BLENDSHAPE_THRESHOLD_NOTE,
      lateral: typeof source !== "string",
      source: typeof source === "string" ? source : `the greater of ${source.left} and ${source.right}`,
    })),
    warnings: [],
  };
}

function describeVit({ actionUnits, precision, description, boxConvention: convention }: VitSource): ModelDescription {
  return {
    kind: "vit",
    precision: precision ?? "float32",
    description,
    scoreKind: "probability",
    actionUnits: actionUnits.map((unit) => ({ ...unit, lateral: false, source: "sigmoid of the model's logit" })),
    warnings: boxConvention(convention).warnings,
  };
}
