/** Brings the face models into the per-user cache. Imports no inference engine. */
export {
  FACE_MODEL_SOURCES,
  type FaceModelFiles,
  faceModelsMissing,
  findFaceModels,
  type ProvisionOptions,
  provisionFaceModels,
} from "./face-models.ts";
