/** The landmarks of the outer corners of the person's eyes: those farthest from the nose. */
export const RIGHT_EYE_CORNER = 33;
export const LEFT_EYE_CORNER = 263;
