/** What a training may see of the photographs, and what it then scores. */
export interface Half {
  /** Frames of the portraits that are warped for it. */
  readonly warped: readonly number[];
  /** Frames that it scores: nobody whom it has seen. */
  readonly scored: readonly number[];
}

/**
 * Cuts photographs into two halves: portraits that can be warped alternate, and so do the others. What sees the portraits
 * of one half scores all photographs of the other.
 *
 * @param frames how many photographs there are; each shows a person of its own
 */
export function chooseHalves(frames: number, canBeWarped: (frame: number) => boolean): readonly [Half, Half] {
  const counts = { warped: 0, other: 0 };
  const halfOf = Array.from({ length: frames }, (_, frame) => counts[canBeWarped(frame) ? "warped" : "other"]++ % 2);
  const of = (half: number) => [...halfOf.keys()].filter((frame) => halfOf[frame] === half);
  const halfFor = (half: number): Half => ({ warped: of(half).filter(canBeWarped), scored: of(1 - half) });
  return [halfFor(0), halfFor(1)];
}
