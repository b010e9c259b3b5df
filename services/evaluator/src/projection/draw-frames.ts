import { createRandom, type Dataset } from "@duchenne/data";

/** What is drawn. */
export interface FrameDraw {
  /** Frames at most. */
  readonly maxFrames: number;
  /** Subjects at most; absent: all. */
  readonly maxSubjects?: number | undefined;
  readonly seed: number;
}

/**
 * Draws subjects, then frames of them: one of each subject in turn, so that each has as many as any other while it has some
 * left. The same of the same seed, whatever order subjects and frames are drawn in by others.
 *
 * @param frames places in the data set to draw from
 * @returns the places, in the order they were drawn in, which mixes subjects
 */
export function drawFrames(
  { samples }: Pick<Dataset, "samples">,
  frames: Uint32Array,
  { maxFrames, maxSubjects, seed }: FrameDraw,
): Uint32Array {
  const random = createRandom([seed, "projection"]);
  const shuffled = <T>(items: readonly T[]): T[] => Array.from(random.permutation(items.length), (i) => items[i]!);
  const framesOf = Map.groupBy(frames, (frame) => samples[frame]!.subject);
  const subjects = shuffled([...framesOf.keys()].sort()).slice(0, maxSubjects);
  const left = subjects.map((subject) => shuffled(framesOf.get(subject)!));
  const drawn: number[] = [];
  for (let turn = 0; drawn.length < maxFrames; turn++) {
    const ofTurn = left.flatMap((each) => each.slice(turn, turn + 1));
    if (ofTurn.length === 0) break;
    drawn.push(...ofTurn);
  }
  return Uint32Array.from(drawn.slice(0, maxFrames));
}
