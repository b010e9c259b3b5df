import type { Box } from "./image.ts";

/** Published data sets whose label files and folders are understood as they are. */
export const PROTOCOLS = ["bp4d", "bp4d+", "disfa", "raf-db", "affectnet-8"] as const;
/** A published data set with conventions of its own. */
export type Protocol = (typeof PROTOCOLS)[number];

/** The part of an official partition that a sample belongs to. */
export const PARTITIONS = ["train", "test"] as const;
/** The part of an official partition that a sample belongs to. */
export type Partition = (typeof PARTITIONS)[number];

/** One labelled image. */
export interface Sample {
  /** Path of the image, absolute. */
  readonly imagePath: string;
  /** Who is shown; empty in a data set without subjects. */
  readonly subject: string;
  /** Index into the data set's `subjects`; -1 in a data set without subjects. */
  readonly subjectIndex: number;
  /** Per action unit of the data set: 1 occurs, 0 does not, -1 unknown. */
  readonly occurrence: Int8Array;
  /** Per action unit of the data set: intensity 0..5, NaN when unknown or when only occurrence was coded. */
  readonly intensity: Float32Array;
  /** Index into the data set's `expressions`; -1 unknown, or a data set without expressions. */
  readonly expression: number;
  /** The part it belongs to officially; every sample of a data set has one, or none has. */
  readonly partition?: Partition;
  /** The face in the image; absent when the image already is the model's crop. */
  readonly box?: Box;
}

/** A data set on disk. */
export interface Dataset {
  readonly name: string;
  readonly directory: string;
  readonly description: string;
  /** The published data set that it is; absent for own data. */
  readonly protocol?: Protocol;
  /** FACS numbers in label order; empty when it has no action unit labels. */
  readonly actionUnits: readonly number[];
  /**
   * The identity vocabulary: in the published order of a protocol, otherwise in order of their names. It covers the whole
   * data set, whatever is held out later. Published subjects without a frame on disk keep their index.
   */
  readonly subjects: readonly string[];
  /** Expression classes in index order; absent when it has no expression labels. */
  readonly expressions?: readonly string[];
  /** Subjects of each fold, fold 1 first; absent when it has no folds of its own. */
  readonly folds?: readonly (readonly string[])[];
  readonly samples: readonly Sample[];
  /** sha256 over labels, configuration and images, in hexadecimal. */
  readonly digest: string;
  /** How faces were cut, such as "face-oval+5%" of SynthFACS; "unknown" when not stated. */
  readonly boxConvention: string;
  /** What is known of the licence of its images and labels, such as "CC-BY-4.0"; absent when nobody stated one. */
  readonly license?: string;
}
