import type { ActionUnitProtocolName } from "../../protocols/action-unit-protocol.ts";
import { imageOf, PUBLISHED_IMAGE_PATHS } from "../../protocols/image-path.ts";

/** The tasks whose frames have labels; DISFA has one video a subject. */
const TASKS: Readonly<Record<ActionUnitProtocolName, readonly string[]>> = {
  bp4d: ["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"],
  "bp4d+": ["T1", "T6", "T7", "T8"],
  disfa: [""],
};

/** Where a frame stands in a published data set. */
export interface FramePlace {
  /** The subject's name in the data set's own label files, such as "F001". */
  readonly id: string;
  /** Such as "T8"; empty where there is one video a subject. */
  readonly task: string;
  /** From 1, within the task. */
  readonly frame: number;
}

/** The place of a subject's frame `index` of `count`: tasks get even shares, one after the other. */
export function placeInProtocol(
  protocol: ActionUnitProtocolName,
  subject: string,
  index: number,
  count: number,
): FramePlace {
  const tasks = TASKS[protocol];
  const task = Math.floor((index * tasks.length) / count);
  const first = Math.ceil((task * count) / tasks.length);
  const id = protocol === "bp4d" ? `${subject.slice(0, 1)}0${subject.slice(1)}` : subject;
  return { id, task: tasks[task]!, frame: index - first + 1 };
}

/** The folder of a synthetic set that the published image paths start from. */
export const PROTOCOL_IMAGES = "images";

/** The path of a frame below the set's folder. */
export function protocolImagePath(protocol: ActionUnitProtocolName, subject: string, place: FramePlace): string {
  return `${PROTOCOL_IMAGES}/${imageOf({ subject, ...place }, PUBLISHED_IMAGE_PATHS[protocol])}`;
}
