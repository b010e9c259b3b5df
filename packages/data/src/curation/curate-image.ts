import sharp, { type Sharp } from "sharp";
import type { RgbImage } from "../image.ts";
import type { CurationOptions, Exclusion } from "./curation-options.ts";

/** What becomes of a picture. Sizes are in pixels, as it is shown (EXIF orientation applied). */
export interface CuratedImage {
  readonly width?: number;
  readonly height?: number;
  /** Why it is left out. */
  readonly exclusion?: Exclusion;
  /** What is kept, a JPEG. */
  readonly bytes?: Uint8Array;
  /** True when these are the picture's own bytes. */
  readonly isAsItWas?: boolean;
}

type Rules = Pick<CurationOptions, "minSide" | "maxAspectRatio" | "size">;

/** How images are encoded: what is lost must not matter to what is learned. */
const ENCODING = { quality: 95, chromaSubsampling: "4:4:4" } as const;
/** More pixels are not decoded: several are in memory at once. */
const MAX_PIXELS = 100_000_000;

/**
 * Judges a picture and makes the image of it that is kept: `size` x `size`, its aspect not kept, EXIF orientation applied,
 * transparency dropped, in sRGB. A JPEG of that size keeps its bytes.
 */
export async function curateImage(bytes: Uint8Array, options: Rules): Promise<CuratedImage> {
  const format = formatOf(bytes);
  if (format === undefined) {
    return leftOut("not_an_image", `Expected a JPEG, PNG or WebP image, got ${bytes.length} bytes of another kind`);
  }
  let shown: { readonly width?: number; readonly height?: number } = {};
  try {
    const { width, height, autoOrient, hasAlpha } = await open(bytes).metadata();
    shown = { width: autoOrient.width, height: autoOrient.height };
    const exclusion = sizeExclusion({ width, height }, options);
    if (exclusion !== undefined) return { ...shown, exclusion };
    const { size } = options;
    if (format === "jpeg" && width === size && height === size && (await isFlawless(bytes))) {
      return { ...shown, bytes, isAsItWas: true };
    }
    const upright = hasAlpha ? await withoutAlpha(bytes) : open(bytes).rotate();
    return { ...shown, bytes: await encode(upright, size) };
  } catch {
    // Not in the decoder's words: its threads share one buffer for them, which may hold those of another image.
    return { ...shown, ...leftOut("undecodable", `Expected a whole image, this ${format} is cut off or damaged`) };
  }
}

/** Judges a frame of a video, and makes the image of it that is kept, as curateImage does. */
export async function curateFrame({ width, height, data }: RgbImage, options: Rules): Promise<CuratedImage> {
  const exclusion = sizeExclusion({ width, height }, options);
  if (exclusion !== undefined) return { width, height, exclusion };
  const image = sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
  return { width, height, bytes: await encode(image, options.size) };
}

/** Why an image of this size is left out; undefined when it is not. Orientation does not matter. */
export function sizeExclusion(
  { width, height }: { readonly width: number; readonly height: number },
  { minSide, maxAspectRatio }: Rules,
): Exclusion | undefined {
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  const actual = `got ${width}x${height}`;
  if (shorter < minSide) {
    return { reason: "too_small", detail: `Expected at least ${minSide} pixels a side, ${actual}` };
  }
  // A quotient is rounded to the nearest number, as the limit was when it was read: equal ones are kept.
  if (longer / shorter > maxAspectRatio) {
    return { reason: "too_elongated", detail: `Expected sides in a ratio of at most ${maxAspectRatio}, ${actual}` };
  }
  if (width * height > MAX_PIXELS) {
    return { reason: "too_large", detail: `Expected at most ${MAX_PIXELS / 1e6} million pixels, ${actual}` };
  }
  return undefined;
}

const leftOut = (reason: Exclusion["reason"], detail: string): CuratedImage => ({ exclusion: { reason, detail } });

/** By the first bytes: the decoder is shown nothing else. */
function formatOf(bytes: Uint8Array): "jpeg" | "png" | "webp" | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString("latin1");
  if (head.startsWith("\xff\xd8\xff")) return "jpeg";
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  return head.startsWith("RIFF") && head.endsWith("WEBP") ? "webp" : undefined;
}

/** Harmless flaws, such as bytes between two segments, are passed over; a truncated image is an error. */
const open = (bytes: Uint8Array): Sharp => sharp(bytes, { limitInputPixels: false, failOn: "error", pages: 1 });

/** Whether those who train will read it, who are stricter. */
async function isFlawless(bytes: Uint8Array): Promise<boolean> {
  try {
    await sharp(bytes).raw().toBuffer();
    return true;
  } catch {
    return false;
  }
}

/** Before it is resized, when transparent pixels would lose their colours, which trainings read. */
async function withoutAlpha(bytes: Uint8Array): Promise<Sharp> {
  const opaque = open(bytes).rotate().removeAlpha().toColourspace("srgb").raw();
  const { data, info } = await opaque.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

/** libvips' Lanczos filter, antialiased. */
function encode(image: Sharp, size: number): Promise<Uint8Array> {
  return image.resize(size, size, { fit: "fill", kernel: "lanczos3" }).toColourspace("srgb").jpeg(ENCODING).toBuffer();
}
