import type { Face } from "@duchenne/proto";
import type { Placement } from "./placement.ts";

/** A face with what stands at its box. */
export interface ShownFace {
  readonly face: Face;
  readonly label: string;
  readonly isSelected: boolean;
}

/** Colours of the drawing. */
export interface OverlayColors {
  readonly selected: string;
  readonly other: string;
  readonly onSelected: string;
}

/** Draws boxes, their labels and landmarks. The context is in CSS pixels. */
export function drawFaces(
  context: CanvasRenderingContext2D,
  faces: readonly ShownFace[],
  placement: Placement,
  colors: OverlayColors,
): void {
  for (const { face, label, isSelected } of faces) {
    if (face.box === undefined) continue;
    const { left, top, width, height } = placement.rectangle(face.box);
    const color = isSelected ? colors.selected : colors.other;
    drawLandmarks(context, face, placement, color);
    // A dark line below the light one: it must be seen on any photograph.
    for (const [style, lineWidth] of [
      ["rgb(0 0 0 / 55%)", isSelected ? 5 : 4],
      [color, isSelected ? 2.5 : 1.5],
    ] as const) {
      context.strokeStyle = style;
      context.lineWidth = lineWidth;
      context.beginPath();
      context.roundRect(left, top, width, height, Math.min(14, width / 6));
      context.stroke();
    }
    drawLabel(context, label, left, top, color, colors.onSelected);
  }
}

function drawLandmarks(context: CanvasRenderingContext2D, face: Face, placement: Placement, color: string): void {
  if (face.landmarks.length === 0) return;
  const radius = Math.max(0.7, Math.min(1.6, ((face.box?.width ?? 0) * placement.scale) / 260));
  context.fillStyle = color;
  context.globalAlpha = 0.75;
  context.beginPath();
  for (const landmark of face.landmarks) {
    const { x, y } = placement.point(landmark.x, landmark.y);
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  }
  context.fill();
  context.globalAlpha = 1;
}

function drawLabel(
  context: CanvasRenderingContext2D,
  label: string,
  left: number,
  boxTop: number,
  background: string,
  color: string,
): void {
  context.font = "600 13px system-ui, sans-serif";
  const width = context.measureText(label).width + 16;
  const top = Math.max(boxTop - 28, 4);
  context.fillStyle = background;
  context.beginPath();
  context.roundRect(Math.max(left, 4), top, width, 22, 6);
  context.fill();
  context.fillStyle = color;
  context.textBaseline = "middle";
  context.fillText(label, Math.max(left, 4) + 8, top + 11.5);
}
