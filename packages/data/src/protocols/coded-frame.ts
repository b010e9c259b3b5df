/** A frame as the coders of a data set labelled it. */
export interface CodedFrame {
  /** A subject of the protocol's vocabulary, such as "F01". */
  readonly subject: string;
  /** The subject as the data set's own files call it, such as "F001". */
  readonly id: string;
  /** The task of BP4D and BP4D+, such as "T8"; empty where there is one video a subject. */
  readonly task: string;
  /** From 1, as the files count. */
  readonly frame: number;
  /** By FACS number; null where the coder could not tell. */
  readonly actionUnits: Readonly<Record<string, number | null>>;
}
