/** The outline of the face, from the forehead's middle over the subject's left side. */
export const FACE_OVAL: readonly number[] = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136,
  172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];

/** The landmarks of one eye; all lists run from the outer corner to the inner one. */
export interface EyeLandmarks {
  readonly outerCorner: number;
  readonly innerCorner: number;
  /** Edge of the upper lid, without the corners; entry i meets entry i of the lower edge when the eye closes. */
  readonly upperEdge: readonly number[];
  readonly lowerEdge: readonly number[];
  /** The lid above its edge, where its fold is. */
  readonly upperFold: readonly number[];
  readonly lowerFold: readonly number[];
}

/** The subject's left eye (in the picture's right half). */
export const LEFT_EYE: EyeLandmarks = {
  outerCorner: 263,
  innerCorner: 362,
  upperEdge: [466, 388, 387, 386, 385, 384, 398],
  lowerEdge: [249, 390, 373, 374, 380, 381, 382],
  upperFold: [467, 260, 259, 257, 258, 286, 414],
  lowerFold: [255, 339, 254, 253, 252, 256, 341],
};
/** The subject's right eye. */
export const RIGHT_EYE: EyeLandmarks = {
  outerCorner: 33,
  innerCorner: 133,
  upperEdge: [246, 161, 160, 159, 158, 157, 173],
  lowerEdge: [7, 163, 144, 145, 153, 154, 155],
  upperFold: [247, 30, 29, 27, 28, 56, 190],
  lowerFold: [25, 110, 24, 23, 22, 26, 112],
};

/** The lips' inner edge, from the right corner over the upper lip and back over the lower. */
export const INNER_LIPS: readonly number[] = [
  78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
];
/** Corners of the lips' inner edge: right, left. */
export const INNER_LIP_CORNERS: readonly [number, number] = [78, 308];

/** The vermilion of the upper lip: from its outer edge to its inner one, in rows from the right corner to the left. */
export const UPPER_LIP: readonly (readonly number[])[] = [
  [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291],
  [76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306],
  [62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292],
  [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308],
];
/** The vermilion of the lower lip, rows as for the upper one. */
export const LOWER_LIP: readonly (readonly number[])[] = [
  [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
  [76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306],
  [62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292],
  [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308],
];

/** The left brow's lower edge from the nose outward. */
export const LEFT_BROW_LOWER: readonly number[] = [285, 295, 282, 283, 276];
/** The left brow's upper edge from the nose outward. */
export const LEFT_BROW_UPPER: readonly number[] = [336, 296, 334, 293, 300];
