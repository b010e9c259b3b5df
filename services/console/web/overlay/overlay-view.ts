import type { SelectedFace } from "../scores/selected-face.ts";
import type { Size } from "../source/fit-within.ts";
import { drawFaces } from "./draw-faces.ts";
import { contains, placeInside } from "./placement.ts";

/** What lies over the picture. */
export interface OverlayView {
  /** @param labelOf what stands at a face's box */
  draw(selected: SelectedFace, picture: Size | undefined, mirrored: boolean, labelOf: (faceId: bigint) => string): void;
}

/**
 * Draws on a canvas that covers its stage.
 *
 * @param onChoose told which face was pressed
 * @param onResize told when all has to be drawn again
 */
export function createOverlayView(
  canvas: HTMLCanvasElement,
  stage: HTMLElement,
  onChoose: (faceId: bigint) => void,
  onResize: () => void,
): OverlayView {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("Expected a browser with a two-dimensional canvas");
  let shown: Parameters<OverlayView["draw"]> | undefined;
  const frame = (): Size => ({ width: stage.clientWidth, height: stage.clientHeight });

  new ResizeObserver(() => {
    canvas.width = Math.round(stage.clientWidth * devicePixelRatio);
    canvas.height = Math.round(stage.clientHeight * devicePixelRatio);
    onResize();
  }).observe(stage);

  stage.addEventListener("click", (event) => {
    const [selected, picture, mirrored] = shown ?? [];
    if (selected === undefined || picture === undefined) return;
    const { left, top } = stage.getBoundingClientRect();
    const placement = placeInside(picture, frame(), mirrored ?? false);
    const [x, y] = [event.clientX - left, event.clientY - top];
    const pressed = selected.faces.find(({ box }) => box !== undefined && contains(placement.rectangle(box), x, y));
    if (pressed !== undefined) onChoose(pressed.faceId);
  });

  return {
    draw(selected, picture, mirrored, labelOf) {
      shown = [selected, picture, mirrored, labelOf];
      context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
      context.clearRect(0, 0, stage.clientWidth, stage.clientHeight);
      if (picture === undefined || picture.width === 0) return;
      const styles = getComputedStyle(stage);
      const color = (name: string) => styles.getPropertyValue(name);
      const faces = selected.faces.map((face) => ({
        face,
        label: labelOf(face.faceId),
        isSelected: face === selected.face,
      }));
      // The selected one last: it lies above the others.
      faces.sort((a, b) => Number(a.isSelected) - Number(b.isSelected));
      drawFaces(context, faces, placeInside(picture, frame(), mirrored), {
        selected: color("--picture-selected"),
        other: color("--picture-other"),
        onSelected: color("--picture-text"),
      });
    },
  };
}
