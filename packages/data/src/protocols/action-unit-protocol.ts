import { BP4D } from "./bp4d.ts";
import { BP4D_PLUS } from "./bp4d-plus.ts";
import { DISFA } from "./disfa.ts";

/** The conventions of a data set with action unit labels, as published evaluations use it. */
export interface ActionUnitProtocol {
  readonly description: string;
  /** FACS numbers in label order. */
  readonly actionUnits: readonly number[];
  /** Subjects in the order of the published identity heads. */
  readonly subjects: readonly string[];
  /** The published folds of subjects, fold 1 first. */
  readonly folds: readonly (readonly string[])[];
  /**
   * Reads the subject from an image's path below the image root, by position alone, as published: a path that begins with
   * "./" names nobody.
   *
   * @returns a subject of the list; undefined when the path names none of them
   */
  subjectFromPath(path: string): string | undefined;
  /** Says why a path does not belong to the protocol although it names a subject; undefined when it does. */
  refusePath?(path: string): string | undefined;
}

/** The data sets with action unit labels. */
export const ACTION_UNIT_PROTOCOLS = { bp4d: BP4D, "bp4d+": BP4D_PLUS, disfa: DISFA } as const satisfies Record<
  string,
  ActionUnitProtocol
>;
/** A data set with action unit labels. */
export type ActionUnitProtocolName = keyof typeof ACTION_UNIT_PROTOCOLS;
