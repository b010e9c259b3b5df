import type { ActionUnitProtocolName } from "./action-unit-protocol.ts";
import type { CodedFrame } from "./coded-frame.ts";

/** Where the published evaluations keep a frame. */
export const PUBLISHED_IMAGE_PATHS: Readonly<Record<ActionUnitProtocolName, string>> = {
  bp4d: "2{subject}_{task}/frame_{frame}.jpg",
  "bp4d+": "{subject}_{task}/frame_{frame}.jpg",
  disfa: "RightVideo{subject}/frame_{frame}.jpg",
};

/**
 * The path of a frame below the images' root.
 *
 * @param template with `{subject}` ("F01"), `{id}` ("F001"), `{task}` ("T8"), `{frame}` and, with zeros, `{frame:4}`
 */
export function imageOf({ subject, id, task, frame }: Omit<CodedFrame, "actionUnits">, template: string): string {
  return template
    .replaceAll("{subject}", subject)
    .replaceAll("{id}", id)
    .replaceAll("{task}", task)
    .replaceAll("{frame}", String(frame))
    .replaceAll(/\{frame:(\d+)\}/g, (_, digits) => String(frame).padStart(Number(digits), "0"));
}
