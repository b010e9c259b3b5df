/** The action units of the published data set protocols, in the order of a published model's outputs. */
export const PROTOCOL_ACTION_UNITS = {
  bp4d: [1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24],
  "bp4d+": [1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24],
  disfa: [1, 2, 4, 6, 9, 12, 25, 26],
} as const satisfies Readonly<Record<string, readonly number[]>>;
/** A data set protocol whose action units are known. */
export type ProtocolName = keyof typeof PROTOCOL_ACTION_UNITS;
