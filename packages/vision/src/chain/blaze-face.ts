import { overlap } from "../tracking/overlap.ts";
import type { AffineMap } from "./warp.ts";

/** Side of BlazeFace's input (back-camera model), in pixels. */
export const BLAZE_FACE_SIZE = 256;
/** MediaPipe's default for the score from which a detection counts. */
const MIN_SCORE = 0.5;
/** MediaPipe's default for the overlap from which two detections are the same face. */
const MAX_OVERLAP = 0.3;

/** A face as BlazeFace sees it, in pixels of the image. */
export interface FaceDetection {
  readonly score: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** The person's right eye, left eye, nose tip, mouth, right ear, left ear; x and y in turn. */
  readonly keyPoints: readonly number[];
}

/** Anchor centres in 0..1, x and y in turn: a 16x16 grid with 2 a cell, then 8x8 with 6. */
const ANCHORS = (() => {
  const centers: number[] = [];
  for (const [grid, perCell] of [
    [16, 2],
    [8, 6],
  ] as const) {
    for (let y = 0; y < grid; y++) {
      for (let x = 0; x < grid; x++) {
        for (let k = 0; k < perCell; k++) centers.push((x + 0.5) / grid, (y + 0.5) / grid);
      }
    }
  }
  return Float32Array.from(centers);
})();

/**
 * Turns BlazeFace's raw outputs into faces: sigmoid of the scores, offsets from the anchors, non-maximum suppression.
 *
 * @param scores 896 logits
 * @param boxes 896 x 16: centre x and y, width, height, then six key points, in pixels of the input
 * @param map from input pixels to image pixels
 * @returns faces by falling score
 */
export function facesFromBlazeFace(scores: Float32Array, boxes: Float32Array, map: AffineMap): FaceDetection[] {
  const candidates: FaceDetection[] = [];
  for (let i = 0; i < scores.length; i++) {
    const score = 1 / (1 + Math.exp(-scores[i]!));
    if (score < MIN_SCORE) continue;
    const value = (k: number) => boxes[16 * i + k]!;
    const place = (x: number, y: number): [number, number] => {
      const u = x + ANCHORS[2 * i]! * BLAZE_FACE_SIZE;
      const v = y + ANCHORS[2 * i + 1]! * BLAZE_FACE_SIZE;
      return [map.a * u + map.b * v + map.c, map.d * u + map.e * v + map.f];
    };
    const [x, y] = place(value(0), value(1));
    const scale = Math.hypot(map.a, map.d);
    const width = value(2) * scale;
    const height = value(3) * scale;
    candidates.push({
      score,
      left: x - width / 2,
      top: y - height / 2,
      width,
      height,
      keyPoints: [0, 1, 2, 3, 4, 5].flatMap((k) => place(value(4 + 2 * k), value(5 + 2 * k))),
    });
  }
  candidates.sort((p, q) => q.score - p.score);
  const kept: FaceDetection[] = [];
  for (const face of candidates) if (kept.every((other) => overlap(face, other) < MAX_OVERLAP)) kept.push(face);
  return kept;
}
