import type { Box } from "@duchenne/data";

/** The overlap from which two boxes are of the same face. */
export const SAME_FACE_OVERLAP = 0.3;

/** Intersection over union of two boxes, 0..1. */
export function overlap(p: Box, q: Box): number {
  const width = Math.min(p.left + p.width, q.left + q.width) - Math.max(p.left, q.left);
  const height = Math.min(p.top + p.height, q.top + q.height) - Math.max(p.top, q.top);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (p.width * p.height + q.width * q.height - shared);
}
