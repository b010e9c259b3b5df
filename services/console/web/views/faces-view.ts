import type { Face } from "@duchenne/proto";
import type { SelectedFace } from "../scores/selected-face.ts";
import { make } from "./elements.ts";

/** The faces of the picture, to choose one; nothing where there is no choice. */
export function showFaces(group: HTMLElement, selected: SelectedFace, onChoose: (faceId: bigint) => void): void {
  const chosen = selected.face?.faceId;
  const wanted = selected.faces.length < 2 ? "" : `${chosen}: ${selected.faces.map(({ faceId }) => faceId).join(" ")}`;
  if (group.dataset.shows === wanted) return;
  group.dataset.shows = wanted;
  if (wanted === "") {
    group.replaceChildren();
    return;
  }
  const hadFocus = group.contains(document.activeElement);
  const buttons = [...selected.faces]
    .sort((a, b) => Number(a.faceId - b.faceId))
    .map(({ faceId }) => {
      const button = make("button", { type: "button", "aria-pressed": String(faceId === chosen) }, [faceName(faceId)]);
      button.addEventListener("click", () => onChoose(faceId));
      return button;
    });
  group.replaceChildren(...buttons);
  if (hadFocus) buttons.find((button) => button.ariaPressed === "true")?.focus();
}

/** A face as the page names it. */
export function faceName(faceId: bigint): string {
  return `Face ${faceId}`;
}

/** How a face is turned and how well it is seen, in a line. */
export function faceInWords({ headPose, quality }: Face): string {
  const parts: string[] = [];
  if (headPose !== undefined) {
    const { yawDegrees, pitchDegrees, rollDegrees } = headPose;
    parts.push(`Head: turn ${degrees(yawDegrees)}, nod ${degrees(pitchDegrees)}, tilt ${degrees(rollDegrees)}`);
  }
  if (quality !== undefined) {
    parts.push(`face ${Math.round(quality.sizePx)} px`);
    if (quality.inside < 0.95) parts.push("partly outside of the picture");
    if (quality.brightness < 50) parts.push("dark");
  }
  return parts.join(", ");
}

function degrees(value: number): string {
  const rounded = Math.round(value);
  return `${rounded < 0 ? "−" : ""}${Math.abs(rounded)}°`;
}
