import type { RgbImage } from "@duchenne/data";
import sharp from "sharp";

/** Thrown when bytes are not a usable image. */
export class InvalidImageError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "INVALID_IMAGE";
  readonly violations: readonly { field: string; description: string }[];

  /** @param options.field the request's field; default: "image" */
  constructor(description: string, { field = "image", ...options }: ErrorOptions & { readonly field?: string } = {}) {
    super(description, options);
    this.name = "InvalidImageError";
    this.violations = [{ field, description }];
  }
}

/** Thrown when an image has more bytes or pixels than are accepted. */
export class ImageTooLargeError extends Error {
  readonly code = "invalid_argument";
  readonly reason = "IMAGE_TOO_LARGE";
  readonly violations: readonly { field: string; description: string }[];

  constructor(description: string) {
    super(description);
    this.name = "ImageTooLargeError";
    this.violations = [{ field: "image", description }];
  }
}

/** How large an image may be. */
export interface ImageLimits {
  readonly maxBytes: number;
  /** Longest side, in pixels. */
  readonly maxSide: number;
}

/** Limits that hold where a caller sets none: 16 MiB and 8192 pixels a side. */
export const DEFAULT_IMAGE_LIMITS: ImageLimits = { maxBytes: 16 * 2 ** 20, maxSide: 8192 };

/**
 * Checks how many bytes an encoded image has, which costs nothing.
 *
 * @throws {InvalidImageError} when there are none
 * @throws {ImageTooLargeError} when there are more than may be
 */
export function checkEncodedImage(bytes: Uint8Array, { maxBytes }: ImageLimits): void {
  if (bytes.length === 0) throw new InvalidImageError("Expected an encoded image, got 0 bytes");
  if (bytes.length > maxBytes) {
    throw new ImageTooLargeError(`Expected an image of at most ${maxBytes} bytes, got ${bytes.length}`);
  }
}

const FORMATS = ["jpeg", "png", "webp"];

/**
 * Decodes a JPEG, PNG or WebP image to RGB, its EXIF orientation applied, transparency on black. The header is judged
 * before any pixel is decoded, so a small file that claims huge dimensions costs nothing.
 *
 * @throws {InvalidImageError} when the bytes are empty, not an image of these formats, or damaged
 * @throws {ImageTooLargeError} when the image is larger than the limits
 */
export async function decodeImage(bytes: Uint8Array, limits: ImageLimits = DEFAULT_IMAGE_LIMITS): Promise<RgbImage> {
  checkEncodedImage(bytes, limits);
  // The limits below are ours; sharp's own would answer with less precise words.
  const image = sharp(bytes, { limitInputPixels: false, failOn: "error", pages: 1 });
  const header = await image.metadata().catch((error: unknown) => {
    throw new InvalidImageError("Expected a JPEG, PNG or WebP image, got bytes of another kind", { cause: error });
  });
  const { format, width, height } = header;
  if (!FORMATS.includes(format)) throw new InvalidImageError(`Expected a JPEG, PNG or WebP image, got ${format}`);
  if (Math.max(width, height) > limits.maxSide) {
    throw new ImageTooLargeError(`Expected an image of 1..${limits.maxSide} pixels a side, got ${width}x${height}`);
  }
  try {
    const { data, info } = await image
      .rotate()
      .flatten({ background: "#000000" })
      .toColourspace("srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: info.channels === 3 ? data : grayToRgb(data) };
  } catch (error) {
    throw new InvalidImageError(`The ${format} image is damaged: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function grayToRgb(gray: Uint8Array): Uint8Array {
  const data = new Uint8Array(gray.length * 3);
  for (let i = 0; i < gray.length; i++) data.fill(gray[i]!, 3 * i, 3 * i + 3);
  return data;
}
