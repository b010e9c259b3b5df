/** Frames are told apart in the lower bits of the keys that are sorted. */
const MAX_POINTS = 2 ** 16;

/** Orders the points around one of N by their distance. */
export interface NearestFirst {
  /** The others, the nearest first, of equally near ones the first; valid until the next call. @param distances N */
  order(distances: Float64Array, point: number): Uint16Array;
}

/**
 * Makes an order of at most 65,536 points. Distances count in single precision. One number holds distance and place:
 * numbers are sorted many times faster than by a function that compares.
 */
export function createNearestFirst(points: number): NearestFirst {
  if (points > MAX_POINTS) throw new RangeError(`Expected at most ${MAX_POINTS} points, got ${points}`);
  const keys = new Float64Array(points - 1);
  const others = new Uint16Array(points - 1);
  const single = new Float32Array(1);
  // Floats that are not negative are in the order of their bits.
  const bits = new Uint32Array(single.buffer);
  return {
    order(distances, point) {
      for (let other = 0, place = 0; other < points; other++) {
        if (other === point) continue;
        single[0] = distances[other]!;
        keys[place++] = bits[0]! * MAX_POINTS + other;
      }
      keys.sort();
      for (let place = 0; place < others.length; place++) others[place] = keys[place]! % MAX_POINTS;
      return others;
    },
  };
}
