/** An action unit of the Facial Action Coding System. */
export interface ActionUnit {
  /** The FACS number. */
  readonly number: number;
  /** The FACS name. */
  readonly name: string;
}

/**
 * The action units of the upper and lower face, by FACS number, with the names of the FACS manual
 * (Ekman, Friesen and Hager, "Facial Action Coding System: The Manual", 2002).
 */
export const ACTION_UNITS: ReadonlyMap<number, ActionUnit> = new Map(
  (
    [
      [1, "Inner brow raiser"],
      [2, "Outer brow raiser"],
      [4, "Brow lowerer"],
      [5, "Upper lid raiser"],
      [6, "Cheek raiser"],
      [7, "Lid tightener"],
      [9, "Nose wrinkler"],
      [10, "Upper lip raiser"],
      [11, "Nasolabial deepener"],
      [12, "Lip corner puller"],
      [13, "Sharp lip puller"],
      [14, "Dimpler"],
      [15, "Lip corner depressor"],
      [16, "Lower lip depressor"],
      [17, "Chin raiser"],
      [18, "Lip pucker"],
      [20, "Lip stretcher"],
      [22, "Lip funneler"],
      [23, "Lip tightener"],
      [24, "Lip pressor"],
      [25, "Lips part"],
      [26, "Jaw drop"],
      [27, "Mouth stretch"],
      [28, "Lip suck"],
      [43, "Eyes closed"],
    ] as const
  ).map(([number, name]) => [number, { number, name }]),
);

/** The FACS name of an action unit, or "AU" and its number when the table has no name for it. */
export function actionUnitName(number: number): string {
  return ACTION_UNITS.get(number)?.name ?? `AU${number}`;
}
