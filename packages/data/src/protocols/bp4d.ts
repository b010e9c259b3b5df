import type { ActionUnitProtocol } from "./action-unit-protocol.ts";
import { names } from "./names.ts";

/** Action units of BP4D and BP4D+ in label order. */
export const BP4D_ACTION_UNITS = [1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24] as const;

/** The published folds, from "Multi-scale Promoted Self-adjusting Correlation Learning" (2023). */
const FOLDS = [
  names("F01 F02 F08 F09 F10 F18 F16 F23 M01 M04 M07 M08 M12 M14"),
  names("F03 F05 F11 F13 F20 F22 M02 M05 M10 M11 M13 M16 M17 M18"),
  names("F04 F06 F07 F12 F14 F15 F17 F19 F21 M03 M06 M09 M15"),
];

const SUBJECTS = [
  ...Array.from({ length: 23 }, (_, i) => `F${String(i + 1).padStart(2, "0")}`),
  ...Array.from({ length: 18 }, (_, i) => `M${String(i + 1).padStart(2, "0")}`),
];
const SUBJECT_SET: ReadonlySet<string> = new Set(SUBJECTS);

/** BP4D-Spontaneous (Zhang et al. 2014): 41 subjects, eight tasks, occurrence of 12 action units, 3 folds. */
export const BP4D: ActionUnitProtocol = {
  description: "BP4D-Spontaneous: 12 action units, 41 subjects, 3 published folds",
  actionUnits: BP4D_ACTION_UNITS,
  subjects: SUBJECTS,
  folds: FOLDS,
  subjectFromPath(path) {
    // "2F15_T8/frame_1.jpg": characters 1 to 3. Older copies of the files say "F015_T8/..." and take four characters.
    const old = /^([FM])0(\d\d)/.exec(path);
    const subject = old === null ? path.slice(1, 4) : `${old[1]}${old[2]}`;
    return SUBJECT_SET.has(subject) ? subject : undefined;
  },
};
