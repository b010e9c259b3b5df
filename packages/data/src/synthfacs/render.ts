import sharp from "sharp";
import type { RgbImage } from "../image.ts";
import { createRandom } from "../random.ts";
import { drawFace } from "./drawing.ts";
import type { SyntheticFrame } from "./frame.ts";
import type { SyntheticSubject } from "./subject.ts";

/**
 * Renders a drawn face with the camera's noise. The same arguments give the same pixels on the same platform.
 *
 * @param size side of the picture, in pixels
 * @param noiseSeed parts that name the noise's stream
 */
export async function renderFace(
  subject: SyntheticSubject,
  frame: SyntheticFrame,
  size: number,
  noiseSeed: readonly (number | string)[],
): Promise<RgbImage> {
  const data = await sharp(Buffer.from(drawFace(subject, frame, size)))
    .removeAlpha()
    .raw()
    .toBuffer();
  if (frame.noise > 0) {
    const random = createRandom([...noiseSeed, "camera-noise"]);
    // A table of normal draws read from random places: full draws per pixel would cost more than the drawing.
    const table = Float32Array.from({ length: 4096 }, () => random.normal() * frame.noise);
    for (let i = 0; i < data.length; i += 3) {
      const noise = table[(random.uniform() * 4096) | 0]!;
      for (let c = 0; c < 3; c++) data[i + c] = Math.min(Math.max(Math.round(data[i + c]! + noise), 0), 255);
    }
  }
  return { width: size, height: size, data };
}
