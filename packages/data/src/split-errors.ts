/** A split that a data set does not allow; each outcome that a caller can act on is a class of its own. */
export abstract class SplitError extends Error {
  abstract readonly code: "invalid_argument" | "failed_precondition";
  /** What happened, for programs. */
  abstract readonly reason: string;

  /** @param message expected and actual */
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** Thrown when there are too few subjects with frames to have some in each part. */
export class TooFewSubjectsError extends SplitError {
  readonly code = "failed_precondition";
  readonly reason = "TOO_FEW_SUBJECTS";

  constructor(expected: number, actual: number) {
    super(`Expected at least ${expected} subjects to split by, got ${actual}`);
  }
}

/** Thrown when a fold is asked for and there are none. */
export class NoFoldsError extends SplitError {
  readonly code = "failed_precondition";
  readonly reason = "NO_FOLDS";

  constructor() {
    super("Expected a data set with folds, it has none; draw some");
  }
}

/** Thrown when there is no fold of that number. */
export class FoldOutOfRangeError extends SplitError {
  readonly code = "invalid_argument";
  readonly reason = "FOLD_OUT_OF_RANGE";

  constructor(fold: number, count: number) {
    super(`Expected a fold of 1..${count}, got ${fold}`);
  }
}

/** Thrown when a subject stands in two folds, or twice in one: it would be trained and tested on. */
export class RepeatedFoldSubjectError extends SplitError {
  readonly code = "invalid_argument";
  readonly reason = "SUBJECT_IN_TWO_FOLDS";

  constructor(subject: string, first: number, second: number) {
    super(
      `Expected each subject in one fold, "${subject}" stands in ${
        first === second ? `fold ${first} twice` : `folds ${first} and ${second}`
      }`,
    );
  }
}

/** Thrown when a fold names a subject that the data set does not have. */
export class UnknownFoldSubjectError extends SplitError {
  readonly code = "invalid_argument";
  readonly reason = "UNKNOWN_FOLD_SUBJECT";

  constructor(subject: string, fold: number) {
    super(`Expected subjects of the data set, fold ${fold} names "${subject}"`);
  }
}

/** Thrown when a subject with frames stands in no fold, so that nothing says on which side it belongs. */
export class SubjectWithoutFoldError extends SplitError {
  readonly code = "invalid_argument";
  readonly reason = "SUBJECT_WITHOUT_FOLD";

  constructor(subject: string) {
    super(`Expected each subject in one fold, "${subject}" stands in none`);
  }
}

/** Thrown when a part of a split would hold no frame. */
export class EmptySplitError extends SplitError {
  readonly code = "failed_precondition";
  readonly reason = "EMPTY_SPLIT";

  constructor(part: "training" | "validation" | "test") {
    super(`Expected at least one frame in the ${part} part, got none`);
  }
}

/** Thrown when the official partition is asked for and a frame belongs to none. */
export class NoPartitionError extends SplitError {
  readonly code = "failed_precondition";
  readonly reason = "NO_PARTITION";

  constructor(imagePath: string) {
    super(`Expected a data set whose frames belong to a training or a test part, ${imagePath} does not`);
  }
}

/** Thrown when a subject has fewer frames than are to be drawn of each. */
export class TooFewFramesError extends SplitError {
  readonly code = "failed_precondition";
  readonly reason = "TOO_FEW_FRAMES";

  constructor(expected: number, actual: ReadonlyMap<string, number>) {
    const shown = [...actual].slice(0, 3).map(([subject, frames]) => `${frames} of "${subject}"`);
    const more = actual.size > shown.length ? ` and ${actual.size - shown.length} more subjects with too few` : "";
    super(`Expected at least ${expected} frames of each subject, got ${shown.join(", ")}${more}`);
  }
}
