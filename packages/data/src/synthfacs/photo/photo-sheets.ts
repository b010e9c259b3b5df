import type { RgbImage } from "../../image.ts";
import { contactSheet, type Tile } from "../preview/contact-sheet.ts";
import { SYNTHFACS_ACTION_UNITS } from "../subject.ts";
import { photoFrameWith } from "./photo-frame.ts";
import { checkPortraits, type Portrait } from "./portrait.ts";
import { renderPhoto } from "./render-photo.ts";

const INTENSITY = 4;

/**
 * A sheet for each portrait, by its place: as it was taken, and each action unit at intensity 4.
 *
 * @throws {UnusablePortraitError} when a portrait is too small, not neutral or turned away
 */
export async function* photoSheets(
  portraits: readonly Portrait[],
  size: number,
): AsyncGenerator<readonly [portrait: Portrait, sheet: RgbImage]> {
  checkPortraits(portraits);
  for (const portrait of portraits) {
    const tiles: Tile[] = [];
    for (const number of [0, ...SYNTHFACS_ACTION_UNITS]) {
      const frame = photoFrameWith(number === 0 ? {} : { [number]: INTENSITY });
      const { image } = await renderPhoto(portrait, frame, { size, noiseSeed: [0] });
      tiles.push({ image, label: number === 0 ? "0" : `AU${number}` });
    }
    yield [portrait, contactSheet(tiles, 10)];
  }
}
