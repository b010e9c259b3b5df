import type { Size } from "./fit-within.ts";
import { createJpegEncoder } from "./jpeg-encoder.ts";

/** What servers read as it is. */
const SENT_AS_IT_IS = ["image/jpeg", "image/png", "image/webp"];
const MAX_BYTES = 8 * 2 ** 20;
const MAX_SIDE_PX = 4096;

/** A photograph that the browser can show. */
export interface Photograph {
  readonly name: string;
  readonly size: Size;
  /** Shows it, until it is closed. */
  readonly url: string;
  /** The bytes to be scored: the file's own, or a JPEG where that is of another kind or very large. */
  readonly image: Uint8Array;
  /** Frees what shows it. */
  close(): void;
}

/** Thrown for a file that the browser cannot show as a picture. */
export class UnreadablePictureError extends Error {
  constructor(name: string, options?: ErrorOptions) {
    super(`${name} cannot be read as a picture`, options);
    this.name = "UnreadablePictureError";
  }
}

/** Reads a file that the user chose. @throws {UnreadablePictureError} */
export async function readPhotograph(file: File): Promise<Photograph> {
  const url = URL.createObjectURL(file);
  const element = new Image();
  element.src = url;
  try {
    await element.decode();
  } catch (error) {
    URL.revokeObjectURL(url);
    throw new UnreadablePictureError(file.name, { cause: error });
  }
  const size = { width: element.naturalWidth, height: element.naturalHeight };
  const isSentAsItIs =
    SENT_AS_IT_IS.includes(file.type) && file.size <= MAX_BYTES && Math.max(size.width, size.height) <= MAX_SIDE_PX;
  const encode = createJpegEncoder({ maxSide: MAX_SIDE_PX / 2, quality: 0.92 });
  const image = isSentAsItIs ? new Uint8Array(await file.arrayBuffer()) : await encode(element, size);
  return { name: file.name, size, url, image, close: () => URL.revokeObjectURL(url) };
}
