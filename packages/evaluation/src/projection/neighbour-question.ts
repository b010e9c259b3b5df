/** What is asked of the neighbours of frames: which of the others count at all, and which are alike. */
export interface NeighbourQuestion {
  /** Whether a frame's neighbours are asked for. */
  isAsked(frame: number): boolean;
  /** Whether another frame counts as a neighbour. */
  isCandidate(frame: number, other: number): boolean;
  /** Whether a candidate is alike. */
  isAlike(frame: number, other: number): boolean;
  /** How many of all others are candidates. */
  candidates(frame: number): number;
  /** How many of those are alike. */
  alike(frame: number): number;
}

/** Whether neighbours show the same subject. @param owners of each frame, 0..S-1 */
export function sameSubject(owners: Int32Array): NeighbourQuestion {
  const frames = countsOf(owners);
  return {
    isAsked: () => true,
    isCandidate: () => true,
    isAlike: (frame, other) => owners[frame] === owners[other],
    candidates: () => owners.length - 1,
    alike: (frame) => frames[owners[frame]!]! - 1,
  };
}

/** Whether neighbours of frames that show an action unit show it as well, of the frames where that is known. */
export function sameActionUnit(occurrence: Int8Array): NeighbourQuestion {
  const known = occurrence.reduce((sum, label) => sum + Number(label !== -1), 0);
  const present = occurrence.reduce((sum, label) => sum + Number(label === 1), 0);
  return {
    isAsked: (frame) => occurrence[frame] === 1,
    isCandidate: (_, other) => occurrence[other] !== -1,
    isAlike: (_, other) => occurrence[other] === 1,
    candidates: () => known - 1,
    alike: () => present - 1,
  };
}

/**
 * The same of the frames of other subjects alone: what a person's own frames have in common, such as neighbouring frames of
 * a video, says nothing then.
 */
export function sameActionUnitOfOthers(occurrence: Int8Array, owners: Int32Array): NeighbourQuestion {
  const known = countsOf(owners, (frame) => occurrence[frame] !== -1);
  const present = countsOf(owners, (frame) => occurrence[frame] === 1);
  const [allKnown, allPresent] = [known, present].map((counts) => counts.reduce((sum, count) => sum + count, 0));
  return {
    ...sameActionUnit(occurrence),
    isCandidate: (frame, other) => occurrence[other] !== -1 && owners[frame] !== owners[other],
    candidates: (frame) => allKnown! - known[owners[frame]!]!,
    alike: (frame) => allPresent! - present[owners[frame]!]!,
  };
}

/** How many frames each subject has, of those that count. */
function countsOf(owners: Int32Array, counts: (frame: number) => boolean = () => true): Uint32Array {
  const frames = new Uint32Array(owners.reduce((most, owner) => Math.max(most, owner), -1) + 1);
  for (const [frame, owner] of owners.entries()) if (counts(frame)) frames[owner]!++;
  return frames;
}
