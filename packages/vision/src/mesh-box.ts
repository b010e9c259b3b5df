import type { Box } from "@duchenne/data";

/** Landmarks of the face mesh, whose rim is the face oval; the ten after them are the irises. */
const MESH_LANDMARKS = 468;

/** The upright rectangle around the face mesh. @param landmarks [478 * 3] */
export function meshBox(landmarks: Float32Array): Box {
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < MESH_LANDMARKS; i++) {
    const x = landmarks[3 * i]!;
    const y = landmarks[3 * i + 1]!;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { left, top, width: right - left, height: bottom - top };
}
