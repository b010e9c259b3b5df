import type { ActionUnitProtocolName } from "../../protocols/action-unit-protocol.ts";

/** Share of the 146,847 frames of BP4D in which each of its action units occurs. */
const BP4D_PREVALENCE: ReadonlyMap<number, number> = new Map([
  [1, 0.211],
  [2, 0.171],
  [4, 0.203],
  [6, 0.462],
  [7, 0.549],
  [10, 0.594],
  [12, 0.562],
  [14, 0.466],
  [15, 0.169],
  [17, 0.344],
  [23, 0.165],
  [24, 0.152],
]);

/**
 * Share of frames in which each action unit of a data set occurs, as the literature on action units gives it (such as
 * Shao et al., "JAA-Net", 2021); of DISFA from intensity 2 on. Of BP4D+ no counts by action unit were at hand: it takes
 * those of BP4D, whose tasks and action units it shares.
 */
export const PROTOCOL_PREVALENCE: Readonly<Record<ActionUnitProtocolName, ReadonlyMap<number, number>>> = {
  bp4d: BP4D_PREVALENCE,
  "bp4d+": BP4D_PREVALENCE,
  disfa: new Map([
    [1, 0.05],
    [2, 0.04],
    [4, 0.15],
    [6, 0.081],
    [9, 0.043],
    [12, 0.132],
    [25, 0.278],
    [26, 0.089],
  ]),
};

/** How often an action unit is drawn that a data set does not code: seldom, so that faces have more than what is labelled. */
export const UNCODED_RATE = 0.03;
