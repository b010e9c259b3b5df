import { createHash } from "node:crypto";
import { posix } from "node:path";

/** Whether one way comes before another (negative), is the same (0) or comes after it in the order in which a folder is walked. */
export function compareWays(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]! < right[i]! ? -1 : 1;
  }
  return left.length - right.length;
}

/** What file systems take as a name, in bytes. */
const LONGEST_NAME = 255;
/** A way of this many bytes leaves room for the folder that it lies in. */
const LONGEST_WAY = 2048;
const FRAME_DIGITS = 8;

/**
 * Where an image lies in the data set that a source becomes. It depends on the source's way alone, and no two sources share
 * one: the whole name is kept, its ending too, so `a.png` and `a.jpg` become `a.png.jpg` and `a.jpg.jpg`.
 *
 * @param frame of a video: the frame's number
 */
export function resultWay(source: string, frame?: number): string {
  const name = shortened(source);
  return frame === undefined ? `images/${name}.jpg` : `images/${name}/${String(frame).padStart(FRAME_DIGITS, "0")}.jpg`;
}

/** A way to which an ending can be added. The name of a long one has no ending of its own, so it is no other's. */
function shortened(source: string): string {
  const fits =
    Buffer.byteLength(posix.basename(source)) <= LONGEST_NAME - ".jpg".length &&
    Buffer.byteLength(source) <= LONGEST_WAY;
  return fits ? source : `long-names/${createHash("sha256").update(source).digest("hex")}`;
}
