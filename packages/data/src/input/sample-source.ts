import sharp from "sharp";
import { type Box, cropFace, type RgbImage } from "../image.ts";

/** Where a sample's pixels are. */
export interface SampleSource {
  readonly imagePath: string;
  /** The face in the image; absent when the image already is the model's crop. */
  readonly box?: Box;
}

/** Thrown when an image of a data set is missing, cannot be decoded, or does not meet its box. */
export class UnreadableImageError extends Error {
  readonly code = "data_loss";
  readonly reason = "UNREADABLE_IMAGE";

  /** @param where the line that names the image, such as "manifest.jsonl:12" */
  constructor(path: string, cause: unknown, where?: string) {
    const place = where === undefined ? "" : `${where}: `;
    super(`${place}Cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "UnreadableImageError";
  }
}

/**
 * Reads a sample: its image with EXIF orientation applied and transparency dropped; of a sample with a box, the face's
 * crop, `imageSize` x `imageSize`.
 *
 * @throws {UnreadableImageError} when there is no such image, or no such part of it
 */
export async function readSample({ imagePath, box }: SampleSource, imageSize: number): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(imagePath)
      .rotate()
      .removeAlpha()
      .toColourspace("srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    const image = { width: info.width, height: info.height, data };
    return box === undefined ? image : cropFace(image, box, { size: imageSize });
  } catch (error) {
    throw new UnreadableImageError(imagePath, error);
  }
}
