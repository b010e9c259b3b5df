import type { FieldRegion, Push } from "../mesh/displacement-field.ts";

/** What moves: an action unit, or a part of one that combinations weigh differently. */
export type MoveName =
  | "1" | "2" | "4-down" | "4-together" | "6" | "9" | "9-brow" | "10" | "12-up" | "12-out" | "14" | "15" | "17-chin"
  | "17-lip" | "20" | "23-upper" | "23-lower" | "24-upper" | "24-lower" | "25-upper" | "25-lower" | "chin-flat"; // biome-ignore format: a list

interface Move {
  readonly region?: FieldRegion;
  readonly pushes: readonly Push[];
}

/**
 * How far the left half of the face moves at intensity 5, in centimetres, after the appearance changes of the FACS manual
 * (Ekman, Friesen and Hager 2002). Lids and jaw move on arcs and are not in this table.
 */
export const MOVES: Readonly<Record<MoveName, Move>> = {
  // Inner brow up: brows slant, the middle of the forehead is pushed together.
  "1": {
    pushes: [
      { at: [285, 336, 9, 8], reach: [0.9, 1.0], move: [0.05, 1.25, 0.05] },
      { at: [295, 296], reach: [0.8, 0.9], move: [0, 0.6, 0] },
      { at: [282, 334], reach: [0.7, 0.8], move: [0, 0.05, 0] },
      { at: [286, 414, 413, 441], reach: [0.6, 0.5], move: [0, 0.3, 0] },
    ],
  },
  // Outer brow up: an arched brow, the outer part of the upper lid's cover is stretched.
  "2": {
    pushes: [
      { at: [285, 336], reach: [0.7, 0.8], move: [0, 0.1, 0] },
      { at: [295, 296], reach: [0.7, 0.9], move: [0, 0.5, 0] },
      { at: [282, 334], reach: [0.8, 0.9], move: [0, 1.05, 0] },
      { at: [283, 293], reach: [0.8, 0.9], move: [0, 1.2, 0] },
      { at: [276, 300], reach: [0.8, 0.9], move: [0, 0.9, 0] },
      { at: [445, 444, 260, 259], reach: [0.7, 0.4], move: [0, 0.4, 0] },
    ],
  },
  "4-down": {
    pushes: [
      { at: [285, 336, 9, 8], reach: [0.9, 0.9], move: [0, -0.95, 0.2] },
      { at: [295, 296], reach: [0.8, 0.8], move: [0, -1.05, 0.15] },
      { at: [282, 334], reach: [0.8, 0.8], move: [0, -0.9, 0.05] },
      { at: [283, 293, 276], reach: [0.8, 0.8], move: [0, -0.35, 0] },
    ],
  },
  "4-together": {
    pushes: [
      { at: [285, 336], reach: [0.7, 1.0], move: [-0.5, 0, 0.2] },
      { at: [295, 296], reach: [0.8, 0.9], move: [-0.45, 0, 0.1] },
      { at: [282, 334], reach: [0.8, 0.9], move: [-0.25, 0, 0] },
    ],
  },
  // Cheek raiser: the ring around the eye draws in; lids are in lid-pose.ts.
  "6": {
    pushes: [
      { at: [347, 348, 330, 280], reach: [1.1, 0.9], move: [-0.05, 0.65, 0.4] },
      { at: [346, 345, 340], reach: [0.9, 0.8], move: [-0.25, 0.5, 0.2] },
      { at: [265, 372, 353], reach: [0.7, 0.7], move: [-0.25, 0.05, 0.05] },
      { at: [276, 300], reach: [0.6, 0.6], move: [-0.1, -0.2, 0] },
      { at: [254, 253, 339, 450, 449], reach: [0.7, 0.35], move: [0, 0.3, 0.1] },
    ],
  },
  // Nose wrinkler: skin along the nose up, nostril wings raised and widened.
  "9": {
    region: "above-mouth",
    pushes: [
      { at: [294, 278, 358, 327, 331], reach: [0.6, 0.6], move: [0.12, 0.6, 0.1] },
      { at: [437, 420, 429, 360], reach: [0.7, 0.7], move: [-0.05, 0.5, 0.2] },
      { at: [412, 351, 465, 417], reach: [0.6, 0.6], move: [-0.1, 0.2, 0.15] },
      { at: [267, 0, 269, 164, 393], reach: [0.8, 0.6], move: [0, 0.35, 0.05] },
      { at: [426, 423], reach: [0.8, 0.7], move: [0, 0.45, 0.15] },
    ],
  },
  "9-brow": {
    pushes: [
      { at: [285, 336, 8, 9], reach: [0.9, 0.8], move: [-0.2, -0.55, 0.15] },
      { at: [295, 296], reach: [0.8, 0.7], move: [-0.15, -0.4, 0.1] },
      { at: [282, 334], reach: [0.8, 0.8], move: [0, -0.1, 0] },
    ],
  },
  // Upper lip raiser: the lip's middle goes up, highest beside it; the furrow from nose to mouth deepens above.
  "10": {
    region: "above-mouth",
    pushes: [
      { at: [0, 11, 12, 13], reach: [0.5, 0.5], move: [0, 0.65, 0.1] },
      { at: [267, 269, 302, 303, 312, 311, 268, 271], reach: [0.6, 0.6], move: [0.05, 0.95, 0.15] },
      { at: [270, 310, 304], reach: [0.5, 0.6], move: [0.1, 0.65, 0.05] },
      { at: [291, 308], reach: [0.4, 0.5], move: [0.05, 0.05, 0] },
      { at: [391, 393, 322], reach: [0.7, 0.6], move: [0.05, 0.55, 0.2] },
      { at: [358, 327, 294], reach: [0.5, 0.6], move: [0.15, 0.3, 0] },
      { at: [426, 423, 425], reach: [0.8, 0.8], move: [0, 0.45, 0.3] },
    ],
  },
  "12-up": {
    pushes: [
      { at: [291, 308, 306, 292, 409, 375], reach: [0.8, 0.8], move: [0, 1.2, 0] },
      { at: [270, 321, 310, 318, 304, 307], reach: [0.6, 0.7], move: [0, 0.45, 0] },
      { at: [269, 311, 267, 312], reach: [0.5, 0.5], move: [0, 0.14, -0.1] },
      { at: [0, 13], reach: [0.5, 0.4], move: [0, 0.05, -0.15] },
      { at: [17], reach: [0.8, 0.3], move: [0, 0.06, -0.15] },
      { at: [436, 426, 432], reach: [0.9, 0.9], move: [0, 0.75, 0.15] },
      { at: [425, 280, 427], reach: [1.1, 1.0], move: [0, 0.5, 0.5] },
      { at: [347, 348], reach: [0.9, 0.7], move: [0, 0.18, 0.15] },
    ],
  },
  "12-out": {
    pushes: [
      { at: [291, 308, 306, 292, 409, 375], reach: [0.8, 0.9], move: [0.95, 0, -0.6] },
      { at: [270, 321, 310, 318], reach: [0.6, 0.7], move: [0.6, 0, -0.3] },
      { at: [267, 314, 312, 317, 269, 405], reach: [0.5, 0.7], move: [0.28, 0, -0.1] },
      { at: [436, 426, 432, 434], reach: [0.9, 0.9], move: [0.55, 0, 0.05] },
      { at: [427, 411], reach: [1.0, 1.0], move: [0.3, 0, 0.2] },
    ],
  },
  // Dimpler: corners drawn in, against the teeth, and a little out; the lips flatten.
  "14": {
    pushes: [
      { at: [291, 308, 306, 292], reach: [0.6, 0.6], move: [0.5, 0.15, -0.75] },
      { at: [287, 273, 410], reach: [0.5, 0.6], move: [0.15, 0.05, -0.5] },
      { at: [432, 436, 422], reach: [0.6, 0.7], move: [-0.15, 0.05, 0.35] },
      { at: [270, 321, 405, 269], reach: [0.6, 0.5], move: [0.25, 0, -0.2] },
    ],
  },
  "15": {
    pushes: [
      { at: [291, 308, 306, 292, 409, 375], reach: [0.6, 0.7], move: [0.12, -1.05, -0.1] },
      { at: [270, 321, 310, 318], reach: [0.5, 0.6], move: [0.05, -0.45, 0] },
      { at: [287, 273, 422], reach: [0.6, 0.8], move: [0.1, -0.75, 0.1] },
      { at: [424, 418, 431], reach: [0.7, 0.8], move: [0, -0.25, 0.2] },
      { at: [436, 426], reach: [0.7, 0.8], move: [0.05, -0.3, 0] },
    ],
  },
  "17-chin": {
    region: "below-mouth",
    pushes: [
      { at: [200, 199, 428], reach: [1.0, 0.9], move: [0, 0.75, 0.35] },
      { at: [18, 313, 421], reach: [1.0, 0.7], move: [0, 0.65, 0.3] },
      { at: [175, 396], reach: [1.1, 0.7], move: [0, 0.35, 0.1] },
      { at: [17, 314, 14, 317], reach: [0.9, 0.6], move: [0, 0.6, 0.45] },
      { at: [405, 402], reach: [0.6, 0.6], move: [0, 0.4, 0.2] },
      { at: [291, 375], reach: [0.4, 0.4], move: [0, -0.2, 0] },
    ],
  },
  "17-lip": {
    region: "above-mouth",
    pushes: [
      { at: [0, 13, 11, 12, 267], reach: [0.8, 0.7], move: [0, 0.5, 0.3] },
      { at: [269, 311], reach: [0.5, 0.6], move: [0, 0.25, 0.12] },
      { at: [270, 310], reach: [0.4, 0.5], move: [0, 0.02, 0] },
      { at: [291, 308], reach: [0.4, 0.5], move: [0, -0.25, 0] },
    ],
  },
  "20": {
    pushes: [
      { at: [291, 308, 306, 292, 409, 375], reach: [0.8, 0.8], move: [1.25, -0.06, -0.75] },
      { at: [270, 321, 310, 318], reach: [0.6, 0.6], move: [0.8, 0, -0.4] },
      { at: [267, 314, 312, 317, 269, 405], reach: [0.5, 0.6], move: [0.35, 0, -0.25] },
      { at: [287, 432, 422, 436], reach: [0.9, 0.9], move: [0.8, -0.05, -0.05] },
      { at: [424, 418], reach: [0.9, 0.9], move: [0.35, -0.1, -0.15] },
    ],
  },
  // Lip tightener: the red parts roll in and narrow, the corners come closer.
  "23-upper": {
    region: "above-mouth",
    pushes: [
      { at: [0, 267, 269, 37], reach: [0.6, 0.28], move: [-0.1, -0.42, -0.12] },
      { at: [13, 312, 311], reach: [0.6, 0.22], move: [-0.1, 0, -0.35] },
      { at: [270, 310, 409], reach: [0.4, 0.3], move: [-0.35, -0.22, 0] },
      { at: [291, 308], reach: [0.6, 0.6], move: [-0.85, 0, 0.15] },
      { at: [164, 393], reach: [0.7, 0.3], move: [0, -0.08, 0.12] },
    ],
  },
  "23-lower": {
    region: "below-mouth",
    pushes: [
      { at: [17, 314, 405, 84], reach: [0.6, 0.3], move: [-0.1, 0.55, -0.15] },
      { at: [14, 317, 402], reach: [0.6, 0.22], move: [-0.1, 0, -0.35] },
      { at: [321, 318, 375], reach: [0.4, 0.3], move: [-0.35, 0.3, 0] },
      { at: [291, 308], reach: [0.6, 0.6], move: [-0.85, 0, 0.15] },
      { at: [18, 313], reach: [0.8, 0.4], move: [0, 0.2, 0.05] },
    ],
  },
  // Lip pressor: pressed together and flattened over the whole width, bulging above and below.
  "24-upper": {
    region: "above-mouth",
    pushes: [
      { at: [0, 267, 269], reach: [0.7, 0.25], move: [0, -0.34, -0.05] },
      { at: [270, 409, 304], reach: [0.5, 0.25], move: [-0.05, -0.24, -0.1] },
      { at: [13, 312, 311, 310], reach: [0.6, 0.2], move: [0, -0.08, -0.4] },
      { at: [164, 393, 391, 322], reach: [0.7, 0.4], move: [0, -0.05, 0.32] },
      { at: [291, 308], reach: [0.4, 0.4], move: [-0.1, -0.08, -0.15] },
    ],
  },
  "24-lower": {
    region: "below-mouth",
    pushes: [
      { at: [17, 314, 405], reach: [0.7, 0.3], move: [0, 0.62, -0.05] },
      { at: [321, 375], reach: [0.5, 0.3], move: [-0.05, 0.36, -0.1] },
      { at: [14, 317, 402, 318], reach: [0.6, 0.2], move: [0, 0.08, -0.4] },
      { at: [18, 313, 406, 200], reach: [0.8, 0.5], move: [0, 0.45, 0.3] },
      { at: [291, 308], reach: [0.4, 0.4], move: [-0.1, -0.08, -0.15] },
    ],
  },
  "25-upper": {
    region: "above-mouth",
    pushes: [
      { at: [0, 13, 267, 312, 269, 311], reach: [0.7, 0.5], move: [0, 0.26, 0.05] },
      { at: [270, 310], reach: [0.5, 0.5], move: [0, 0.12, 0] },
    ],
  },
  "25-lower": {
    region: "below-mouth",
    pushes: [
      { at: [17, 14, 314, 317, 405, 402], reach: [0.8, 0.6], move: [0, -0.75, 0] },
      { at: [321, 318], reach: [0.5, 0.5], move: [0, -0.4, 0] },
      { at: [18, 313], reach: [0.9, 0.5], move: [0, -0.35, 0] },
      { at: [291, 308], reach: [0.4, 0.4], move: [-0.05, -0.05, 0] },
    ],
  },
  // What a smile and a stretch do to the chin: it flattens.
  "chin-flat": {
    region: "below-mouth",
    pushes: [{ at: [200, 199, 18], reach: [1.3, 1.2], move: [0, 0, -0.1] }],
  },
};
