/** A furrow along a path, or a bulge, on the left half of the canonical face. */
export interface Stroke {
  /** Points in centimetres of the canonical face: outward, up. One point makes a round spot. */
  readonly path: readonly (readonly [x: number, y: number])[];
  /** Standard deviation across the path, in centimetres. */
  readonly width: number;
  /** Height in millimetres: below 0 a furrow with a rim on both sides, above 0 a bulge. */
  readonly height: number;
}

/** What folds the skin: an action unit, or what is always there. */
export type FurrowName = 1 | 2 | 4 | 6 | 7 | 9 | 10 | 12 | 14 | 15 | 17 | 20 | 23 | 24 | "lid-fold" | "eye-bag";

const pits = (centres: readonly (readonly [number, number])[]): Stroke[] =>
  centres.map((centre) => ({ path: [centre], width: 0.17, height: -1.5 }));

/** Furrows and bulges of the left half at intensity 5, after the appearance changes of the FACS manual. */
export const FURROWS: Readonly<Record<FurrowName, readonly Stroke[]>> = {
  1: [
    { path: [[-0.4, 5.75], [0.8, 5.95], [1.9, 5.7]], width: 0.13, height: -1.6 },
    { path: [[-0.4, 6.45], [0.9, 6.65], [2.1, 6.35]], width: 0.13, height: -1.5 },
    { path: [[-0.4, 7.15], [0.9, 7.3], [2.0, 7.05]], width: 0.13, height: -1.1 },
    { path: [[0, 6.1], [1, 6.3]], width: 0.3, height: 0.5 },
  ],
  2: [
    { path: [[2.2, 6.05], [3.4, 6.35], [4.6, 6.05], [5.3, 5.4]], width: 0.13, height: -1.6 },
    { path: [[2.3, 6.75], [3.5, 7.0], [4.7, 6.65], [5.4, 6.0]], width: 0.13, height: -1.5 },
    { path: [[2.6, 7.35], [3.6, 7.5], [4.6, 7.2]], width: 0.13, height: -1.0 },
  ],
  4: [
    { path: [[0.42, 3.7], [0.5, 4.5], [0.38, 5.5]], width: 0.13, height: -2.2 },
    { path: [[0.95, 4.5], [1.05, 5.0], [0.9, 5.7]], width: 0.11, height: -1.2 },
    { path: [[-0.3, 3.25], [0.3, 3.25], [0.75, 3.05]], width: 0.1, height: -1.0 },
    { path: [[0, 4.2], [0, 5.0]], width: 0.22, height: 1.2 },
    { path: [[1.5, 4.9]], width: 0.4, height: 1.6 },
  ],
  6: [
    { path: [[4.95, 2.95], [5.6, 3.4], [6.2, 3.9]], width: 0.09, height: -1.5 },
    { path: [[4.95, 2.62], [5.7, 2.72], [6.5, 2.95]], width: 0.09, height: -1.6 },
    { path: [[4.9, 2.3], [5.6, 2.05], [6.4, 1.9]], width: 0.09, height: -1.5 },
    { path: [[4.7, 2.0], [5.3, 1.5], [6.0, 1.1]], width: 0.09, height: -1.1 },
    { path: [[1.9, 1.75], [2.8, 1.35], [3.9, 1.4], [4.8, 1.8]], width: 0.13, height: -2.0 },
    { path: [[4.2, 0.45]], width: 0.75, height: 2.2 },
  ],
  7: [
    { path: [[2.0, 2.1], [3.1, 1.72], [4.3, 2.05]], width: 0.1, height: -1.5 },
    { path: [[2.3, 2.2], [3.2, 2.05], [4.1, 2.2]], width: 0.13, height: 1.2 },
    { path: [[4.9, 2.55], [5.5, 2.6]], width: 0.08, height: -0.6 },
  ],
  9: [
    { path: [[0.2, 3.35], [0.7, 2.95], [1.0, 2.4]], width: 0.09, height: -1.7 },
    { path: [[0.15, 2.75], [0.65, 2.4], [1.05, 1.8]], width: 0.09, height: -1.9 },
    { path: [[0.2, 2.15], [0.7, 1.75], [1.15, 1.15]], width: 0.09, height: -1.7 },
    { path: [[0.3, 1.5], [0.8, 1.05]], width: 0.09, height: -1.2 },
    { path: [[-0.3, 3.75], [0.2, 3.75], [0.7, 3.95]], width: 0.1, height: -1.5 },
    { path: [[1.75, 0.2], [2.1, -0.7], [2.5, -1.5]], width: 0.15, height: -2.2 },
    { path: [[1.5, 1.3], [2.3, 0.8], [3.1, 0.7]], width: 0.11, height: -1.1 },
    { path: [[1.9, 0.6]], width: 0.35, height: 1.4 },
  ],
  10: [
    { path: [[1.9, -0.3], [2.35, -1.1], [2.75, -2.0], [3.0, -2.9]], width: 0.16, height: -2.6 },
    { path: [[2.9, -0.7], [3.3, -1.7]], width: 0.4, height: 2.0 },
  ],
  12: [
    { path: [[1.95, -0.9], [2.6, -1.7], [3.25, -2.9], [3.6, -4.2]], width: 0.16, height: -2.4 },
    { path: [[3.9, -1.0], [4.3, -2.0]], width: 0.65, height: 2.2 },
    { path: [[2.75, -4.15], [2.95, -4.35]], width: 0.14, height: -1.0 },
  ],
  14: [
    { path: [[2.85, -3.7], [3.1, -4.3], [2.9, -5.0]], width: 0.14, height: -3.2 },
    { path: [[3.65, -3.6], [3.95, -4.35], [3.7, -5.2]], width: 0.13, height: -1.6 },
    { path: [[3.4, -4.3]], width: 0.22, height: 1.6 },
  ],
  15: [
    { path: [[2.45, -4.55], [2.8, -5.2], [2.75, -6.1]], width: 0.15, height: -2.4 },
    { path: [[2.1, -5.4]], width: 0.35, height: 1.4 },
    { path: [[1.2, -6.0], [1.8, -5.9]], width: 0.12, height: -0.7 },
  ],
  17: [
    { path: [[-0.5, -6.0], [0.5, -6.0], [1.3, -6.25], [1.8, -6.8]], width: 0.16, height: -2.2 },
    { path: [[0, -7.1]], width: 0.8, height: 2.0 },
    ...pits([[0.15, -6.9], [0.55, -6.75], [0.95, -7.05], [0.35, -7.35], [0.75, -7.55], [0.1, -7.8], [1.25, -7.5], [0.5, -8.05]]),
  ],
  20: [
    { path: [[3.5, -3.4], [3.9, -4.3], [3.9, -5.4]], width: 0.15, height: -1.8 },
    { path: [[2.9, -4.6], [3.1, -5.3], [2.8, -6.0]], width: 0.13, height: -1.0 },
    { path: [[0.6, -6.1], [1.8, -6.0]], width: 0.14, height: -0.8 },
  ],
  23: [
    ...[0.25, 0.75, 1.25, 1.7].map((x) => ({ path: [[x, -3.35], [1.1 * x, -2.7]], width: 0.07, height: -0.95 }) as const),
    ...[0.3, 0.85, 1.4].map((x) => ({ path: [[x, -5.3], [1.1 * x, -5.9]], width: 0.07, height: -0.9 }) as const),
    { path: [[0, -3.05], [1.4, -3.2]], width: 0.16, height: 0.8 },
  ],
  24: [
    { path: [[0.2, -2.85], [1.2, -2.95], [1.9, -3.4]], width: 0.25, height: 1.8 },
    { path: [[0, -5.75], [1.2, -5.6]], width: 0.28, height: 1.8 },
    { path: [[2.35, -3.9], [2.65, -4.4], [2.45, -5.0]], width: 0.12, height: -1.8 },
    { path: [[0, -6.25], [1.2, -6.2]], width: 0.13, height: -1.2 },
  ],
  "lid-fold": [
    { path: [[1.75, 3.0], [2.3, 3.28], [3.1, 3.42], [3.9, 3.28], [4.6, 2.9]], width: 0.075, height: -1.7 },
    { path: [[2.1, 3.02], [3.1, 3.15], [4.1, 2.98]], width: 0.12, height: 0.4 },
  ],
  "eye-bag": [{ path: [[1.8, 1.9], [2.6, 1.45], [3.6, 1.35], [4.4, 1.6]], width: 0.14, height: -1.4 }],
}; // biome-ignore format: paths
