import type { ActionUnitProtocol } from "./action-unit-protocol.ts";
import { names } from "./names.ts";

/** Intensity from which an action unit of DISFA counts as occurring, as published. */
export const DISFA_OCCURRENCE_THRESHOLD = 2;

const FOLDS = [
  names("SN001 SN002 SN009 SN010 SN016 SN026 SN027 SN030 SN032"),
  names("SN006 SN011 SN012 SN013 SN018 SN021 SN024 SN028 SN031"),
  names("SN003 SN004 SN005 SN007 SN008 SN017 SN023 SN025 SN029"),
];
const SUBJECTS = FOLDS.flat();
const SUBJECT_SET: ReadonlySet<string> = new Set(SUBJECTS);

/** DISFA (Mavadati et al. 2013): 27 subjects, one video each, intensity of 8 of its action units from 2 on, 3 folds. */
export const DISFA: ActionUnitProtocol = {
  description: "DISFA: 8 action units at intensity 2 and above, 27 subjects, right camera, 3 published folds",
  actionUnits: [1, 2, 4, 6, 9, 12, 25, 26],
  // Fold 1, then 2, then 3: the published identity order, not that of the names.
  subjects: SUBJECTS,
  folds: FOLDS,
  subjectFromPath(path) {
    // "RightVideoSN001/frame_1.jpg": the last five characters of the first folder.
    const subject = path.split("/")[0]!.slice(-5);
    return SUBJECT_SET.has(subject) ? subject : undefined;
  },
  refusePath: (path) =>
    /^left/i.test(path) ? "Expected frames of the right camera, which alone is used; this is the left one" : undefined,
};
