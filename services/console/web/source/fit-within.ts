/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of a picture when neither side may be longer than this; never larger than it is. */
export function fitWithin({ width, height }: Size, maxSide: number): Size {
  const scale = Math.min(1, maxSide / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
