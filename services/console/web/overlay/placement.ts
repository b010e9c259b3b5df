import type { Size } from "../source/fit-within.ts";

/** A rectangle. */
export interface Rectangle extends Size {
  readonly left: number;
  readonly top: number;
}

/** Where the pixels of a picture lie on the screen. */
export interface Placement {
  /** Screen pixels a picture pixel. */
  readonly scale: number;
  point(x: number, y: number): { readonly x: number; readonly y: number };
  rectangle(box: Rectangle): Rectangle;
}

/** Places a picture in a frame as `object-fit: contain` does: as large as it fits, in the middle; mirrored or not. */
export function placeInside(picture: Size, frame: Size, mirrored: boolean): Placement {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height);
  const left = (frame.width - picture.width * scale) / 2;
  const top = (frame.height - picture.height * scale) / 2;
  const point = (x: number, y: number) => ({
    x: left + (mirrored ? picture.width - x : x) * scale,
    y: top + y * scale,
  });
  return {
    scale,
    point,
    rectangle({ left: x, top: y, width, height }) {
      const corner = point(mirrored ? x + width : x, y);
      return { left: corner.x, top: corner.y, width: width * scale, height: height * scale };
    },
  };
}

/** Whether a point lies in a rectangle. */
export function contains({ left, top, width, height }: Rectangle, x: number, y: number): boolean {
  return x >= left && x <= left + width && y >= top && y <= top + height;
}
