import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "@duchenne/provision";

/** The part of `face_landmarker.task` that holds the canonical face mesh, and the digest that it is pinned to. */
export const CANONICAL_FACE_SOURCE = {
  part: "geometry_pipeline_metadata_landmarks.binarypb",
  sha256: "bdbcda96dfcb7da883da124aaa2c55dee49770d934f0fcc71747f8c21bdc75b4",
} as const;

/** Thrown when faces are to be drawn before set-up brought the canonical face mesh. */
export class CanonicalFaceMissingError extends Error {
  readonly code = "failed_precondition";
  readonly reason = "CANONICAL_FACE_MISSING";

  constructor(path: string) {
    super(`Expected the canonical face mesh at ${path}, found none: run "npm run setup".`);
    this.name = "CanonicalFaceMissingError";
  }
}

/** The folder in the per-user cache where set-up puts the canonical face mesh. */
export function canonicalFaceFolder(): string {
  return join(cacheDirectory(), "canonical-face", CANONICAL_FACE_SOURCE.sha256.slice(0, 16));
}

/**
 * The canonical face mesh's file.
 *
 * @throws {CanonicalFaceMissingError} when set-up did not bring it
 */
export function canonicalFaceFile(): string {
  const path = join(canonicalFaceFolder(), CANONICAL_FACE_SOURCE.part);
  if (!existsSync(path)) throw new CanonicalFaceMissingError(path);
  return path;
}
