/** Brings the face models into the per-user cache. Imports no inference engine. */
export {
  cacheDirectory,
  FACE_MODEL_SOURCES,
  type FaceModelFiles,
  findFaceModels,
  type ProvisionOptions,
  provisionFaceModels,
} from "./face-models.ts";
export { FaceModelsUnavailableError, faceModelsMissing } from "./fetch.ts";
